//! The messages of the conversation.
//!
//! Content is forwarded, or the request is refused by the path of the part that cannot be
//! used. As with OpenClaw, messages without content are skipped.
//!
//! ```text
//! calls     an assistant's calls    -> tool calls with ids
//! ```

mod calls;

use crate::openai::request::{Message as Sent, Messages, Text};
use crate::rejection::{Quote, Rejection};
use crate::runtime::{ContentPart, Continuity, Message, Role};

use super::call;
use super::content::{ContentReader, ImageUse};
use super::history::{Turn, first_new};
use super::place::Place;
use super::rules::RunRules;

use calls::{OlderCalls, tool_calls};

/// The text of a failed turn in OpenClaw's clients.
const FAILED_TURN: &str = "[assistant turn failed before producing content]";

/// Reads the conversation.
///
/// # Errors
/// A message, part or call that cannot be used, by its path, and a conversation of
/// instructions alone.
pub(super) fn messages(
    sent: Messages<'_>,
    rules: &RunRules,
    continuity: Continuity,
) -> Result<Vec<Message>, Rejection> {
    let authors = authors(&sent)?;
    let turns: Vec<_> = authors.iter().map(|author| author.turn()).collect();
    let new = first_new(&turns, continuity);
    let mut reader = MessageReader {
        content: ContentReader::new(&rules.image_urls.completions, rules.text_file_limit),
        calls: OlderCalls::default(),
    };
    let mut messages = Vec::with_capacity(authors.len());
    for (at, (author, message)) in authors.into_iter().zip(sent.list).enumerate() {
        let images = author.images(at >= new);
        messages.extend(reader.read(author, message, images, Place::message(at))?);
    }
    if !messages.iter().all(Message::is_instruction) {
        return Ok(messages);
    }
    Err(Rejection::invalid(
        "messages",
        "Missing user message in `messages`.",
    ))
}

fn authors(sent: &Messages<'_>) -> Result<Vec<Author>, Rejection> {
    let authors = sent.list.iter().enumerate();
    let authors: Result<Vec<_>, _> = authors
        .map(|(at, message)| Author::of(message.role.as_ok(), Place::message(at)))
        .collect();
    match sent.other {
        None => authors,
        Some(kind) => authors
            .and(Err(Place::message(sent.list.len())
                .reject("", &format!("must be an object, not {kind}.")))),
    }
}

/// The author of a message, as OpenAI's roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Author {
    System,
    Developer,
    User,
    Assistant,
    Tool,
    /// The tool role of the older API, which has the function's name.
    Function,
}

impl Author {
    fn of(role: Option<&Text<'_>>, place: Place) -> Result<Self, Rejection> {
        const ROLES: &str = "Use `system`, `developer`, `user`, `assistant`, `tool` or `function`.";
        let Some(role) = role else {
            return Err(place.reject(".role", &format!("is missing. {ROLES}")));
        };
        match role.trim() {
            "system" => Ok(Self::System),
            "developer" => Ok(Self::Developer),
            "user" => Ok(Self::User),
            "assistant" => Ok(Self::Assistant),
            "tool" => Ok(Self::Tool),
            "function" => Ok(Self::Function),
            other => {
                let problem = format!("is `{}`, which is unknown. {ROLES}", Quote(other));
                Err(place.reject(".role", &problem))
            }
        }
    }

    fn turn(self) -> Turn {
        match self {
            Self::User | Self::Tool | Self::Function => Turn::Asks,
            Self::System | Self::Developer => Turn::Instruction,
            Self::Assistant => Turn::Agent,
        }
    }

    fn images(self, is_new: bool) -> ImageUse {
        match self {
            Self::User | Self::Tool | Self::Function if is_new => ImageUse::Forwarded,
            Self::User | Self::Tool | Self::Function => ImageUse::Known,
            Self::System => ImageUse::Refused("system"),
            Self::Developer => ImageUse::Refused("developer"),
            Self::Assistant => ImageUse::Refused("assistant"),
        }
    }
}

/// Reads one message after the other.
struct MessageReader<'r> {
    content: ContentReader<'r>,
    calls: OlderCalls,
}

impl MessageReader<'_> {
    fn read(
        &mut self,
        author: Author,
        sent: Sent<'_>,
        images: ImageUse,
        place: Place,
    ) -> Result<Option<Message>, Rejection> {
        let role = match author {
            Author::System => Role::System,
            Author::Developer => Role::Developer,
            Author::User => Role::User,
            Author::Assistant => return self.assistant(sent, images, place),
            Author::Tool | Author::Function => return self.result(author, sent, images, place),
        };
        let content = self.content.read(sent.content, images, place)?;
        Ok((!content.is_empty()).then(|| Message::new(role, content)))
    }

    fn assistant(
        &mut self,
        sent: Sent<'_>,
        images: ImageUse,
        place: Place,
    ) -> Result<Option<Message>, Rejection> {
        if sent.audio.is_some() {
            let problem = "refers to a spoken reply, which the agent does not have. Send its text as `content`.";
            return Err(place.reject(".audio", problem));
        }
        let is_failed = sent.stop_reason.as_ok().is_some_and(|why| why == "error");
        let mut content = self.content.read(sent.content, images, place)?;
        let refusal = sent.refusal.ok().filter(|text| !text.trim().is_empty());
        content.extend(refusal.map(|text| ContentPart::Text(text.into_owned())));
        if is_failed
            && matches!(content.as_slice(), [ContentPart::Text(text)] if text.trim() == FAILED_TURN)
        {
            return Ok(None);
        }
        let mut calls = tool_calls(sent.tool_calls, place)?;
        calls.extend(self.calls.call(sent.function_call, place)?);
        let message = Message {
            tool_calls: calls,
            ..Message::new(Role::Assistant, content)
        };
        let is_empty = message.content.is_empty() && message.tool_calls.is_empty();
        Ok((!is_empty).then_some(message))
    }

    /// Reads the result of a tool. It may be empty if it names its call or function.
    fn result(
        &mut self,
        author: Author,
        sent: Sent<'_>,
        images: ImageUse,
        place: Place,
    ) -> Result<Option<Message>, Rejection> {
        let content = self.content.read_result(sent.content, images, place)?;
        let name = call::name(sent.name.ok());
        let mut call = call::name(sent.tool_call_id.ok());
        if let (Author::Function, None, Some(function)) = (author, &call, &name) {
            call = self.calls.answered(function);
        }
        let is_named = call.is_some() || (author == Author::Function && name.is_some());
        if content.is_empty() && !is_named {
            return Ok(None);
        }
        Ok(Some(Message {
            tool_call_id: call,
            name,
            ..Message::new(Role::Tool, content)
        }))
    }
}

#[cfg(test)]
mod tests;
