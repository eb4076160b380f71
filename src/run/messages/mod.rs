//! The messages of the conversation.
//!
//! As with OpenClaw, messages with an unknown role and without content are skipped,
//! and only the message that asks for a reply may have images.

use tidegate_json::Member;

use crate::inbound::without_whitespace;
use crate::openai::request::{
    CalledFunction, Content, Message as Sent, Messages, Part, Parts, Text, ToolCall as SentCall,
};
use crate::rejection::Rejection;
use crate::runtime::{ContentPart, Message, Role, ToolCall};

use super::images::{Images, UrlPolicy};

/// The text of a failed turn in OpenClaw's clients.
const FAILED_TURN: &str = "[assistant turn failed before producing content]";

/// Reads the conversation.
pub(super) fn messages(sent: Messages<'_>, policy: &UrlPolicy) -> Result<Vec<Message>, Rejection> {
    let sent: Vec<(Author, Sent<'_>)> = sent
        .0
        .into_iter()
        .filter_map(|message| Some((Author::of(message.role.as_ok()?)?, message)))
        .collect();
    let current = sent.iter().rposition(|(author, _)| author.asks());
    let mut messages = Vec::with_capacity(sent.len());
    for (index, (author, message)) in sent.into_iter().enumerate() {
        let mut images = Images::new(policy, current == Some(index));
        messages.extend(author.message(message, &mut images)?);
    }
    if !messages.iter().all(Message::is_instruction) {
        return Ok(messages);
    }
    Err(Rejection::invalid(
        "messages",
        "Missing user message in `messages`.",
    ))
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

    /// Returns whether the agent replies to this author.
    fn asks(self) -> bool {
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
            Self::System => Ok(with_content(Role::System, texts(sent.content.ok()))),
            Self::Developer => Ok(with_content(Role::Developer, texts(sent.content.ok()))),
            Self::User => Ok(with_content(
                Role::User,
                contents(sent.content.ok(), images)?,
            )),
            Self::Assistant => Ok(assistant(sent)),
            Self::Tool | Self::Function => Ok(self.result(sent)),
        }
    }

    /// Reads the result of a tool. It may be empty if it names its call or function.
    fn result(self, sent: Sent<'_>) -> Option<Message> {
        let tool_call_id = name(sent.tool_call_id.ok());
        let name = name(sent.name.ok());
        let names_itself = match self {
            Self::Function => name.is_some(),
            Self::Tool | Self::System | Self::Developer | Self::User | Self::Assistant => {
                tool_call_id.is_some() && has_content(sent.content.as_ok())
            }
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

fn with_content(role: Role, content: Vec<ContentPart>) -> Option<Message> {
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

/// Returns the arguments as JSON text: the string itself, or another value without
/// the white space between its tokens.
fn arguments(function: &CalledFunction<'_>) -> String {
    let Some(raw) = function.arguments else {
        return String::new();
    };
    match tidegate_json::parse::<Text<'_>>(raw.get()) {
        Ok(Member::Is(text)) => text.into_owned(),
        Ok(Member::Not(_)) => without_whitespace(raw),
        Ok(Member::Absent | Member::Null) | Err(_) => String::new(),
    }
}

fn name(text: Option<Text<'_>>) -> Option<String> {
    let text = text?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Returns whether a tool message has content, even empty content. A list without a
/// text part does not count.
fn has_content(content: Option<&Content<'_>>) -> bool {
    match content {
        None => false,
        Some(Content::Text(_)) => true,
        Some(Content::Parts(parts)) => parts.known.iter().any(is_text) || is_empty_list(parts),
    }
}

fn is_empty_list(parts: &Parts<'_>) -> bool {
    parts.known.is_empty() && !parts.has_others
}

fn is_text(part: &Part<'_>) -> bool {
    matches!(part, Part::Text(text) if !text.trim().is_empty())
}

fn parts(content: Option<Content<'_>>) -> Vec<Part<'_>> {
    match content {
        None => Vec::new(),
        Some(Content::Text(text)) => vec![Part::Text(text)],
        Some(Content::Parts(parts)) => parts.known,
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

/// Returns the texts and images of a message.
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

/// Removes the white space before the first and after the last text. The white space
/// between texts stays: it may be the indentation of code.
fn trimmed(contents: Vec<ContentPart>) -> Vec<ContentPart> {
    let has_text =
        |part: &ContentPart| matches!(part, ContentPart::Text(text) if !text.trim().is_empty());
    let first = contents.iter().position(has_text).unwrap_or(usize::MAX);
    let last = contents.iter().rposition(has_text).unwrap_or_default();
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
        image @ (ContentPart::Image(_) | ContentPart::ImageUrl(_)) => Some(image),
    });
    parts.collect()
}

#[cfg(test)]
mod tests;
