//! The messages of a request.

use tidegate_json::{Kind, Member, Shape, SyntaxError, Value, object_shape};

use super::{Raw, Text};

/// The messages in their order, up to the first item that is not an object.
#[derive(Debug, Default)]
pub struct Messages<'de> {
    /// The messages.
    pub list: Vec<Message<'de>>,
    /// The type of the first item that is not an object. It follows `list`.
    pub other: Option<Kind>,
}

impl<'de> Shape<'de> for Messages<'de> {
    fn read(value: Value<'_, 'de>) -> Result<Option<Self>, SyntaxError> {
        let Value::Array(items) = value else {
            return Ok(None);
        };
        let mut messages = Self::default();
        // A body can hold many items, and the first fault is enough.
        while messages.other.is_none()
            && let Some(item) = items.read::<Message<'de>>()?
        {
            match item {
                Member::Is(message) => messages.list.push(message),
                Member::Not(kind) => messages.other = Some(kind),
                Member::Null | Member::Absent => messages.other = Some(Kind::Null),
            }
        }
        Ok(Some(messages))
    }
}

/// One message of the conversation.
#[derive(Debug, Default)]
pub struct Message<'de> {
    /// The role of the author.
    pub role: Member<Text<'de>>,
    /// The content, see [`Content`]. A tool's content may be any JSON value.
    pub content: Raw<'de>,
    /// Why an assistant refused to reply.
    pub refusal: Member<Text<'de>>,
    /// The reference to an assistant's spoken reply.
    pub audio: Raw<'de>,
    /// The name of a function, or of a participant.
    pub name: Member<Text<'de>>,
    /// The tool calls of an assistant.
    pub tool_calls: Member<Vec<Member<ToolCall<'de>>>>,
    /// The call of an assistant in the older API, which has one without an id.
    pub function_call: Member<CalledFunction<'de>>,
    /// The id of the call that a tool message answers.
    pub tool_call_id: Member<Text<'de>>,
    /// OpenClaw's mark of a failed turn (`error`).
    pub stop_reason: Member<Text<'de>>,
}

object_shape!(Message<'de> {
    "role" => role,
    "content" => content,
    "refusal" => refusal,
    "audio" => audio,
    "name" => name,
    "tool_calls" => tool_calls,
    "function_call" => function_call,
    "tool_call_id" => tool_call_id,
    "stopReason" => stop_reason,
});

/// The content of a message.
#[derive(Debug)]
pub enum Content<'de> {
    /// A plain string.
    Text(Text<'de>),
    /// A list of parts.
    Parts(Vec<Part<'de>>),
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
        let mut parts = Vec::new();
        while let Some(item) = items.read::<PartObject<'de>>()? {
            parts.push(match item {
                Member::Is(object) => object.part(),
                Member::Not(_) | Member::Null | Member::Absent => Part::Untyped,
            });
        }
        Ok(Some(Self::Parts(parts)))
    }
}

/// A part of a message, of this API or of the Responses API.
#[derive(Debug)]
pub enum Part<'de> {
    /// Text.
    Text(Text<'de>),
    /// The URL of an image.
    Image(Text<'de>),
    /// A file.
    File(Box<File<'de>>),
    /// A part of a known type, without the member that has its content.
    Without(&'static str),
    /// A part of another type, which has this name.
    Other(Text<'de>),
    /// An object without a type, or another value.
    Untyped,
}

/// A content part with the members of every type of part.
#[derive(Debug, Default)]
struct PartObject<'de> {
    kind: Member<Text<'de>>,
    text: Member<Text<'de>>,
    input_text: Member<Text<'de>>,
    refusal: Member<Text<'de>>,
    image_url: Member<ImageUrl<'de>>,
    file: Member<File<'de>>,
    file_data: Member<Text<'de>>,
    filename: Member<Text<'de>>,
    source: Member<Source<'de>>,
}

object_shape!(PartObject<'de> {
    "type" => kind,
    "text" => text,
    "input_text" => input_text,
    "refusal" => refusal,
    "image_url" => image_url,
    "file" => file,
    "file_data" => file_data,
    "filename" => filename,
    "source" => source,
});

impl<'de> PartObject<'de> {
    fn part(self) -> Part<'de> {
        let text = |text: Member<_>, name| text.ok().map_or(Part::Without(name), Part::Text);
        // OpenClaw takes `input_text` from a part of any type.
        if let (Member::Absent, Member::Is(text)) = (&self.text, &self.input_text) {
            return Part::Text(text.clone());
        }
        let Some(kind) = self.kind.ok() else {
            return Part::Untyped;
        };
        match kind.as_ref() {
            "text" | "input_text" | "output_text" => text(self.text, "text"),
            "refusal" => text(self.refusal, "refusal"),
            "image_url" | "input_image" => {
                let url = self.image_url.ok().and_then(|image| image.url.ok());
                let url = url.or_else(|| self.source.ok()?.url());
                url.map_or(Part::Without("image_url"), Part::Image)
            }
            "file" => match self.file {
                Member::Is(file) => Part::File(Box::new(file)),
                Member::Absent | Member::Null | Member::Not(_) => Part::Without("file"),
            },
            "input_file" => Part::File(Box::new(match (self.file_data, self.source.ok()) {
                (Member::Absent | Member::Null, Some(source)) => source.into_file(),
                (data, _) => File {
                    data,
                    name: self.filename,
                },
            })),
            _ => Part::Other(kind),
        }
    }
}

/// A file: the member `file` of a part.
#[derive(Debug, Default)]
pub struct File<'de> {
    /// The bytes, as a data URI or in base64.
    pub data: Member<Text<'de>>,
    /// The name.
    pub name: Member<Text<'de>>,
}

object_shape!(File<'de> {
    "file_data" => data,
    "filename" => name,
});

/// The member `source` of an image or a file, the form of OpenClaw's `/v1/responses`.
#[derive(Debug, Default)]
struct Source<'de> {
    kind: Member<Text<'de>>,
    media_type: Member<Text<'de>>,
    data: Member<Text<'de>>,
    url: Member<Text<'de>>,
    filename: Member<Text<'de>>,
}

object_shape!(Source<'de> {
    "type" => kind,
    "media_type" => media_type,
    "data" => data,
    "url" => url,
    "filename" => filename,
});

impl<'de> Source<'de> {
    /// Returns the URL of the content, which is a data URI for `base64`.
    fn url(self) -> Option<Text<'de>> {
        match self.kind.ok()?.as_ref() {
            "url" => self.url.ok(),
            "base64" => {
                let media_type = self.media_type.ok().unwrap_or_default();
                let uri = ["data:", &media_type, ";base64,", &self.data.ok()?].concat();
                Some(uri.into())
            }
            _ => None,
        }
    }

    /// Returns the file. Its URL is not read, so it has no data then.
    fn into_file(mut self) -> File<'de> {
        let name = std::mem::take(&mut self.filename);
        let is_data = self.data.as_ok().is_some();
        let data = self.url().filter(|_| is_data);
        File {
            data: data.map_or(Member::Absent, Member::Is),
            name,
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
    /// The type of the tool: `function`, which is also meant if it is absent.
    pub kind: Member<Text<'de>>,
    /// The function and its arguments.
    pub function: Member<CalledFunction<'de>>,
}

object_shape!(ToolCall<'de> {
    "id" => id,
    "type" => kind,
    "function" => function,
});

/// A called function.
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
