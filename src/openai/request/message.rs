//! The messages of a request.

use tidegate_json::{Member, Shape, SyntaxError, Value, object_shape};

use super::{Raw, Text};

/// The messages with a role, in order. Other items of the array are skipped.
#[derive(Debug, Default)]
pub struct Messages<'de>(pub Vec<Message<'de>>);

impl<'de> Shape<'de> for Messages<'de> {
    fn read(value: Value<'_, 'de>) -> Result<Option<Self>, SyntaxError> {
        let Value::Array(items) = value else {
            return Ok(None);
        };
        let mut messages = Vec::new();
        while let Some(item) = items.read::<Message<'de>>()? {
            // A body can hold many empty objects; skipping them saves their memory.
            messages.extend(item.ok().filter(|message| message.role.as_ok().is_some()));
        }
        Ok(Some(Self(messages)))
    }
}

/// One message of the conversation.
#[derive(Debug, Default)]
pub struct Message<'de> {
    /// The role of the author.
    pub role: Member<Text<'de>>,
    /// The content.
    pub content: Member<Content<'de>>,
    /// The name of a function, or of a participant.
    pub name: Member<Text<'de>>,
    /// The tool calls of an assistant.
    pub tool_calls: Member<Vec<Member<ToolCall<'de>>>>,
    /// The id of the call that a tool message answers.
    pub tool_call_id: Member<Text<'de>>,
    /// OpenClaw's mark of a failed turn (`error`).
    pub stop_reason: Member<Text<'de>>,
}

object_shape!(Message<'de> {
    "role" => role,
    "content" => content,
    "name" => name,
    "tool_calls" => tool_calls,
    "tool_call_id" => tool_call_id,
    "stopReason" => stop_reason,
});

/// The content of a message.
#[derive(Debug)]
pub enum Content<'de> {
    /// A plain string.
    Text(Text<'de>),
    /// A list of parts.
    Parts(Parts<'de>),
}

/// The parts of a message.
#[derive(Debug, Default)]
pub struct Parts<'de> {
    /// Text and image parts, in order.
    pub known: Vec<Part<'de>>,
    /// Whether there are parts of other types.
    pub has_others: bool,
}

impl<'de> Shape<'de> for Content<'de> {
    fn read(value: Value<'_, 'de>) -> Result<Option<Self>, SyntaxError> {
        let items = match value {
            Value::String(text) => return Ok(Some(Self::Text(text))),
            Value::Array(items) => items,
            Value::Null
            | Value::Boolean(_)
            | Value::Natural(_)
            | Value::Number(_)
            | Value::Object(_) => return Ok(None),
        };
        let mut parts = Parts::default();
        while let Some(item) = items.read::<PartObject<'de>>()? {
            match item.ok().and_then(PartObject::part) {
                Some(part) => parts.known.push(part),
                None => parts.has_others = true,
            }
        }
        Ok(Some(Self::Parts(parts)))
    }
}

/// A part of a message.
#[derive(Debug)]
pub enum Part<'de> {
    /// Text.
    Text(Text<'de>),
    /// The URL of an image, or `None` if an `image_url` part has no URL.
    ImageUrl(Option<Text<'de>>),
}

/// A content part with the members of every type of part.
#[derive(Debug, Default)]
struct PartObject<'de> {
    kind: Member<Text<'de>>,
    text: Member<Text<'de>>,
    input_text: Member<Text<'de>>,
    image_url: Member<ImageUrl<'de>>,
}

object_shape!(PartObject<'de> {
    "type" => kind,
    "text" => text,
    "input_text" => input_text,
    "image_url" => image_url,
});

impl<'de> PartObject<'de> {
    fn part(self) -> Option<Part<'de>> {
        let kind = self.kind.as_ok().map(AsRef::as_ref);
        match (kind, self.text, self.input_text) {
            (Some("text" | "input_text"), Member::Is(text), _) => Some(Part::Text(text)),
            (Some("image_url"), _, _) => {
                let url = self.image_url.ok().and_then(|image| image.url.ok());
                Some(Part::ImageUrl(url))
            }
            (_, _, Member::Is(text)) => Some(Part::Text(text)),
            _ => None,
        }
    }
}

/// The member `image_url`: an object with a `url`, or the URL itself.
#[derive(Debug, Default)]
struct ImageUrl<'de> {
    url: Member<Text<'de>>,
}

impl<'de> Shape<'de> for ImageUrl<'de> {
    fn read(value: Value<'_, 'de>) -> Result<Option<Self>, SyntaxError> {
        if let Value::String(url) = value {
            let url = Member::Is(url);
            return Ok(Some(Self { url }));
        }
        let object: Option<ImageUrlObject<'_>> = value.object()?;
        Ok(object.map(|object| Self { url: object.url }))
    }
}

#[derive(Debug, Default)]
struct ImageUrlObject<'de> {
    url: Member<Text<'de>>,
}

object_shape!(ImageUrlObject<'de> {
    "url" => url,
});

/// A tool call of an assistant message.
#[derive(Debug, Default)]
pub struct ToolCall<'de> {
    /// The id of the call.
    pub id: Member<Text<'de>>,
    /// The function and its arguments.
    pub function: Member<CalledFunction<'de>>,
}

object_shape!(ToolCall<'de> {
    "id" => id,
    "function" => function,
});

/// The member `function` of a tool call.
#[derive(Debug, Default)]
pub struct CalledFunction<'de> {
    /// The function's name.
    pub name: Member<Text<'de>>,
    /// The arguments: a string of JSON text, or a JSON value.
    pub arguments: Raw<'de>,
}

object_shape!(CalledFunction<'de> {
    "name" => name,
    "arguments" => arguments,
});
