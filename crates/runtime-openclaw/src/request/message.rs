//! The messages of a body.

use std::borrow::Cow;
use std::fmt;

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

use crate::types::{ContentPart, Image, Message, Role, ToolCall};

use super::tool::Function;

#[derive(Serialize)]
pub(super) struct WireMessage<'r> {
    role: &'static str,
    content: Option<Content<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Called<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'r str>,
}

impl<'r> WireMessage<'r> {
    /// Encodes a message.
    pub(super) fn new(message: &'r Message) -> Self {
        Self::with(message, content(message))
    }

    /// Encodes a message with other content.
    pub(super) fn with_parts(message: &'r Message, parts: Vec<Part<'r>>) -> Self {
        Self::with(message, Some(Content::Parts(parts)))
    }

    /// Makes a message of the user.
    pub(super) fn of_user(parts: Vec<Part<'r>>) -> Self {
        Self {
            role: role(Role::User),
            content: Some(Content::Parts(parts)),
            tool_calls: Vec::new(),
            tool_call_id: None,
            name: None,
        }
    }

    fn with(message: &'r Message, content: Option<Content<'r>>) -> Self {
        Self {
            role: role(message.role),
            content,
            tool_calls: message.tool_calls.iter().map(Called::new).collect(),
            tool_call_id: message.tool_call_id.as_deref(),
            name: message.name.as_deref(),
        }
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::Developer => "developer",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'r> {
    Text(&'r str),
    Parts(Vec<Part<'r>>),
}

/// Returns the content in its simplest form. `None` is `null`, which OpenAI accepts only for
/// an assistant that calls tools.
fn content(message: &Message) -> Option<Content<'_>> {
    match message.content.as_slice() {
        [] if message.tool_calls.is_empty() => Some(Content::Text("")),
        [] => None,
        [ContentPart::Text(text)] => Some(Content::Text(text)),
        parts => Some(Content::Parts(parts.iter().map(Part::new).collect())),
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Part<'r> {
    Text { text: Cow<'r, str> },
    ImageUrl { image_url: ImageUrl<'r> },
}

#[derive(Serialize)]
pub(super) struct ImageUrl<'r> {
    url: Url<'r>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Url<'r> {
    Address(&'r str),
    Data(DataUrl<'r>),
}

impl<'r> Part<'r> {
    /// Makes a part of text.
    pub(super) fn text(text: impl Into<Cow<'r, str>>) -> Self {
        Self::Text { text: text.into() }
    }

    /// Encodes a part.
    pub(super) fn new(part: &'r ContentPart) -> Self {
        let image = |url| Self::ImageUrl {
            image_url: ImageUrl { url },
        };
        match part {
            ContentPart::Text(text) => Self::text(text),
            ContentPart::Image(data) => image(Url::Data(DataUrl(data))),
            ContentPart::ImageUrl(address) => image(Url::Address(address)),
        }
    }
}

/// An image as a `data:` URL. It is encoded during writing, a kilobyte at a time.
struct DataUrl<'r>(&'r Image);

impl fmt::Display for DataUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Image { media_type, data } = self.0;
        let data = Base64Display::new(data, &STANDARD);
        write!(f, "data:{media_type};base64,{data}")
    }
}

impl Serialize for DataUrl<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[derive(Serialize)]
struct Called<'r> {
    id: &'r str,
    #[serde(flatten)]
    call: Function<Call<'r>>,
}

#[derive(Serialize)]
struct Call<'r> {
    name: &'r str,
    arguments: &'r str,
}

impl<'r> Called<'r> {
    fn new(call: &'r ToolCall) -> Self {
        Self {
            id: &call.id,
            call: Function::new(Call {
                name: &call.name,
                arguments: &call.arguments,
            }),
        }
    }
}
