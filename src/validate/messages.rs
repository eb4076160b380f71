//! The conversation: which messages say something, and what.
//!
//! Messages of unknown roles and without content are left out, as the reference
//! does; pictures count in the message that is to be answered, and only there.

use tidegate_json::Member;

use crate::body;
use crate::openai::request::{
    CalledFunction, Content, Message as Sent, Messages, Part, Parts, Text, ToolCall as SentCall,
};
use crate::rejection::Rejection;
use crate::runtime::{ContentPart, Message, Role, ToolCall};

use super::images::{Images, UrlPolicy};

/// What OpenClaw's clients keep in the place of a turn that failed.
const FAILED_TURN: &str = "[assistant turn failed before producing content]";

/// Reads the conversation.
pub(super) fn messages(sent: Messages<'_>, policy: &UrlPolicy) -> Result<Vec<Message>, Rejection> {
    let sent: Vec<(Speaker, Sent<'_>)> = sent
        .0
        .into_iter()
        .filter_map(|message| Some((Speaker::of(message.role.as_ok()?)?, message)))
        .collect();
    let current = sent.iter().rposition(|(speaker, _)| speaker.is_answered());
    let mut messages = Vec::with_capacity(sent.len());
    for (index, (speaker, message)) in sent.into_iter().enumerate() {
        let mut images = Images::new(policy, current == Some(index));
        messages.extend(speaker.message(message, &mut images)?);
    }
    if !messages.iter().all(Message::instructs) {
        return Ok(messages);
    }
    Err(Rejection::invalid(
        "messages",
        "Missing user message in `messages`.",
    ))
}

/// Who speaks, in the words of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaker {
    System,
    Developer,
    User,
    Assistant,
    Tool,
    /// The tool role of the API's older version, known by the function's name.
    Function,
}

impl Speaker {
    fn of(role: &Text<'_>) -> Option<Self> {
        match role.trim() {
            "system" => Some(Self::System),
            "developer" => Some(Self::Developer),
            "user" => Some(Self::User),
            "assistant" => Some(Self::Assistant),
            "tool" => Some(Self::Tool),
            "function" => Some(Self::Function),
            _ => None,
        }
    }

    fn is_answered(self) -> bool {
        match self {
            Self::User | Self::Tool | Self::Function => true,
            Self::System | Self::Developer | Self::Assistant => false,
        }
    }

    fn message(
        self,
        sent: Sent<'_>,
        images: &mut Images<'_>,
    ) -> Result<Option<Message>, Rejection> {
        match self {
            Self::System => Ok(spoken(Role::System, texts(sent.content.ok()))),
            Self::Developer => Ok(spoken(Role::Developer, texts(sent.content.ok()))),
            Self::User => Ok(spoken(Role::User, contents(sent.content.ok(), images)?)),
            Self::Assistant => Ok(assistant(sent)),
            Self::Tool | Self::Function => Ok(self.result(sent)),
        }
    }

    /// Reads a tool's result. It may be empty if it says which call or function
    /// it belongs to.
    fn result(self, sent: Sent<'_>) -> Option<Message> {
        let tool_call_id = name(sent.tool_call_id.ok());
        let name = name(sent.name.ok());
        let names_itself = match self {
            Self::Function => name.is_some(),
            _ => tool_call_id.is_some() && says_anything(sent.content.as_ok()),
        };
        let content = texts(sent.content.ok());
        if content.is_empty() && !names_itself {
            return None;
        }
        Some(Message {
            tool_call_id,
            name,
            ..bare(Role::Tool, content)
        })
    }
}

fn bare(role: Role, content: Vec<ContentPart>) -> Message {
    Message {
        role,
        content,
        tool_calls: Vec::new(),
        tool_call_id: None,
        name: None,
    }
}

fn spoken(role: Role, content: Vec<ContentPart>) -> Option<Message> {
    (!content.is_empty()).then(|| bare(role, content))
}

fn assistant(sent: Sent<'_>) -> Option<Message> {
    let failed = sent
        .stop_reason
        .as_ok()
        .is_some_and(|reason| reason == "error");
    let content = texts(sent.content.ok());
    if failed && matches!(content.as_slice(), [ContentPart::Text(text)] if text == FAILED_TURN) {
        return None;
    }
    let calls = sent.tool_calls.ok().unwrap_or_default();
    let calls = calls.into_iter().filter_map(|call| tool_call(call.ok()?));
    let message = Message {
        tool_calls: calls.collect(),
        ..bare(Role::Assistant, content)
    };
    (!message.content.is_empty() || !message.tool_calls.is_empty()).then_some(message)
}

fn tool_call(call: SentCall<'_>) -> Option<ToolCall> {
    let function = call.function.ok()?;
    Some(ToolCall {
        id: name(call.id.ok())?,
        arguments: arguments(&function),
        name: name(function.name.ok())?,
    })
}

/// Returns the arguments as JSON text: the text itself, or another value as it
/// stands in the request, without the space between its tokens.
fn arguments(function: &CalledFunction<'_>) -> String {
    let Some(raw) = function.arguments.map(|raw| raw.get()) else {
        return String::new();
    };
    match tidegate_json::parse::<Text<'_>>(raw) {
        Ok(Member::Is(text)) => text.into_owned(),
        Ok(Member::Not(_)) => body::without_space(raw),
        Ok(Member::Absent | Member::Null) | Err(_) => String::new(),
    }
}

fn name(text: Option<Text<'_>>) -> Option<String> {
    let text = text?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Tells whether a tool message has content, be it empty. Parts of which none
/// is text are none.
fn says_anything(content: Option<&Content<'_>>) -> bool {
    match content {
        None => false,
        Some(Content::Text(_)) => true,
        Some(Content::Parts(parts)) => parts.said.iter().any(is_text) || is_empty_list(parts),
    }
}

fn is_empty_list(parts: &Parts<'_>) -> bool {
    parts.said.is_empty() && !parts.has_others
}

fn is_text(part: &Part<'_>) -> bool {
    matches!(part, Part::Text(text) if !text.trim().is_empty())
}

fn parts(content: Option<Content<'_>>) -> Vec<Part<'_>> {
    match content {
        None => Vec::new(),
        Some(Content::Text(text)) => vec![Part::Text(text)],
        Some(Content::Parts(parts)) => parts.said,
    }
}

/// Returns the texts of a message.
fn texts(content: Option<Content<'_>>) -> Vec<ContentPart> {
    let texts = parts(content).into_iter().filter_map(|part| match part {
        Part::Text(text) => text_part(text),
        Part::ImageUrl(_) => None,
    });
    trimmed(texts.collect())
}

/// Returns the texts and pictures of a message.
fn contents(
    content: Option<Content<'_>>,
    images: &mut Images<'_>,
) -> Result<Vec<ContentPart>, Rejection> {
    let parts = parts(content);
    let mut contents = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Part::Text(text) => contents.extend(text_part(text)),
            Part::ImageUrl(url) => contents.extend(images.read(url.as_deref())?),
        }
    }
    Ok(trimmed(contents))
}

fn text_part(text: Text<'_>) -> Option<ContentPart> {
    (!text.is_empty()).then(|| ContentPart::Text(text.into_owned()))
}

/// Leaves out the white space around all texts together. What stands between
/// two of them stays: it may be the indentation of code.
fn trimmed(contents: Vec<ContentPart>) -> Vec<ContentPart> {
    let says =
        |part: &ContentPart| matches!(part, ContentPart::Text(text) if !text.trim().is_empty());
    let first = contents.iter().position(says).unwrap_or(usize::MAX);
    let last = contents.iter().rposition(says).unwrap_or_default();
    let parts = contents.into_iter().enumerate();
    let parts = parts.filter_map(|(at, part)| match part {
        ContentPart::Text(_) if at < first || at > last => None,
        ContentPart::Text(mut text) => {
            if at == last {
                text.truncate(text.trim_end().len());
            }
            if at == first {
                text.drain(..text.len() - text.trim_start().len());
            }
            Some(ContentPart::Text(text))
        }
        picture @ (ContentPart::Image(_) | ContentPart::ImageUrl(_)) => Some(picture),
    });
    parts.collect()
}

#[cfg(test)]
mod tests;
