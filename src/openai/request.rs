//! A chat completion request, as it came.
//!
//! Nothing is judged here but the JSON syntax: a member of a wrong type is kept
//! as such, and a member that nobody uses is skipped unread.
//!
//! Source: OpenAI's API reference, "Create chat completion".

use std::borrow::Cow;

use serde::de::{MapAccess, SeqAccess};
use serde_json::value::RawValue;

use crate::json::{Member, Shape, object_shape};

/// A string of the request.
pub type Text<'de> = Cow<'de, str>;

/// A value that is passed on or read later, as JSON text; `null` is none.
pub type Raw<'de> = Option<&'de RawValue>;

/// The body of `POST /v1/chat/completions`.
#[derive(Debug, Default)]
pub struct ChatCompletionRequest<'de> {
    /// The model, which names the agent.
    pub model: Member<Text<'de>>,
    /// Whether the answer is to be streamed.
    pub stream: Member<bool>,
    /// What a stream should hold besides the answer.
    pub stream_options: Member<StreamOptions>,
    /// The functions that the client offers.
    pub tools: Member<Vec<Member<Tool<'de>>>>,
    /// Whether and which tools must be called.
    pub tool_choice: Member<ToolChoice<'de>>,
    /// Whether several tools may be called at once.
    pub parallel_tool_calls: Member<bool>,
    /// The conversation.
    pub messages: Member<Messages<'de>>,
    /// The client's name for whoever is behind it.
    pub user: Member<Text<'de>>,
    /// The most tokens of the answer, by its older name.
    pub max_tokens: Member<f64>,
    /// The most tokens of the answer.
    pub max_completion_tokens: Member<f64>,
    /// Sampling temperature.
    pub temperature: Member<f64>,
    /// Nucleus sampling.
    pub top_p: Member<f64>,
    /// The form of the answer's text.
    pub response_format: Member<ResponseFormat<'de>>,
    /// Penalty for frequent tokens.
    pub frequency_penalty: Member<f64>,
    /// Penalty for tokens that occurred.
    pub presence_penalty: Member<f64>,
    /// A wish for repeatable sampling.
    pub seed: Member<f64>,
    /// Texts at which the answer ends.
    pub stop: Member<Stop<'de>>,
    /// How much the model should think.
    pub reasoning_effort: Member<Text<'de>>,
}

object_shape!(ChatCompletionRequest<'de> {
    "model" => model,
    "stream" => stream,
    "stream_options" => stream_options,
    "tools" => tools,
    "tool_choice" => tool_choice,
    "parallel_tool_calls" => parallel_tool_calls,
    "messages" => messages,
    "user" => user,
    "max_tokens" => max_tokens,
    "max_completion_tokens" => max_completion_tokens,
    "temperature" => temperature,
    "top_p" => top_p,
    "response_format" => response_format,
    "frequency_penalty" => frequency_penalty,
    "presence_penalty" => presence_penalty,
    "seed" => seed,
    "stop" => stop,
    "reasoning_effort" => reasoning_effort,
});

impl<'de> ChatCompletionRequest<'de> {
    /// Parses the text of a body. Its root need not be an object.
    ///
    /// # Errors
    /// Text that is not JSON. Nesting is not limited where nothing is read.
    pub fn parse(text: &'de str) -> Result<Member<Self>, serde_json::Error> {
        serde_json::from_str(text)
    }
}

/// The member `stream_options`.
#[derive(Debug, Default, PartialEq)]
pub struct StreamOptions {
    /// Whether the stream ends with a chunk that tells the usage.
    pub include_usage: Member<bool>,
}

object_shape!(StreamOptions {
    "include_usage" => include_usage,
});

/// The messages that say who speaks, in order. Anything else in the array says
/// nothing and is left out.
#[derive(Debug, Default)]
pub struct Messages<'de>(pub Vec<Message<'de>>);

impl<'de> Shape<'de> for Messages<'de> {
    fn array<A: SeqAccess<'de>>(mut items: A) -> Result<Option<Self>, A::Error> {
        let mut messages = Vec::new();
        while let Some(item) = items.next_element::<Member<Message<'de>>>()? {
            // Not keeping them bounds what millions of empty objects cost.
            messages.extend(item.ok().filter(|message| message.role.as_ok().is_some()));
        }
        Ok(Some(Self(messages)))
    }
}

/// One message of the conversation.
#[derive(Debug, Default)]
pub struct Message<'de> {
    /// Who speaks.
    pub role: Member<Text<'de>>,
    /// What is said.
    pub content: Member<Content<'de>>,
    /// The name of a function, or of a participant.
    pub name: Member<Text<'de>>,
    /// The tools that an assistant called.
    pub tool_calls: Member<Vec<Member<ToolCall<'de>>>>,
    /// The call that a tool message answers.
    pub tool_call_id: Member<Text<'de>>,
    /// OpenClaw's mark on a turn that failed (`error`).
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

/// What a message says.
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
    /// Those that say something, in order.
    pub said: Vec<Part<'de>>,
    /// Whether there were others, of whatever type.
    pub has_others: bool,
}

impl<'de> Shape<'de> for Content<'de> {
    fn string(text: Text<'de>) -> Option<Self> {
        Some(Self::Text(text))
    }

    fn array<A: SeqAccess<'de>>(mut items: A) -> Result<Option<Self>, A::Error> {
        let mut parts = Parts::default();
        while let Some(item) = items.next_element::<Member<PartObject<'de>>>()? {
            match item.ok().and_then(PartObject::part) {
                Some(part) => parts.said.push(part),
                None => parts.has_others = true,
            }
        }
        Ok(Some(Self::Parts(parts)))
    }
}

/// A part of a message that says something.
#[derive(Debug)]
pub enum Part<'de> {
    /// Text.
    Text(Text<'de>),
    /// The URL of a picture, or nothing where an `image_url` part has none.
    ImageUrl(Option<Text<'de>>),
}

/// A content part with the members that parts of any type may have.
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
            (Some("image_url"), _, _) => Some(Part::ImageUrl(self.image_url.ok()?.url.ok())),
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
    fn string(url: Text<'de>) -> Option<Self> {
        Some(Self {
            url: Member::Is(url),
        })
    }

    fn object<A: MapAccess<'de>>(members: A) -> Result<Option<Self>, A::Error> {
        let object = ImageUrlObject::object(members)?;
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

/// A call that an assistant message repeats.
#[derive(Debug, Default)]
pub struct ToolCall<'de> {
    /// The call's name.
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
    /// The arguments: a string of JSON text, or the JSON itself.
    pub arguments: Raw<'de>,
}

object_shape!(CalledFunction<'de> {
    "name" => name,
    "arguments" => arguments,
});

/// A tool that the client offers.
#[derive(Debug, Default)]
pub struct Tool<'de> {
    /// What kind of tool it is; `function` is the only one.
    pub kind: Member<Text<'de>>,
    /// The function.
    pub function: Member<Function<'de>>,
}

object_shape!(Tool<'de> {
    "type" => kind,
    "function" => function,
});

/// The member `function` of a tool.
#[derive(Debug, Default)]
pub struct Function<'de> {
    /// The function's name.
    pub name: Member<Text<'de>>,
    /// What it does.
    pub description: Member<Text<'de>>,
    /// The JSON Schema of its arguments.
    pub parameters: Raw<'de>,
    /// Whether arguments must follow the schema exactly.
    pub strict: Member<bool>,
}

object_shape!(Function<'de> {
    "name" => name,
    "description" => description,
    "parameters" => parameters,
    "strict" => strict,
});

/// The member `tool_choice`: a word, or an object that names a tool.
#[derive(Debug)]
pub enum ToolChoice<'de> {
    /// `auto`, `none`, `required` or something else.
    Word(Text<'de>),
    /// The object.
    Tool(Box<Tool<'de>>),
}

impl<'de> Shape<'de> for ToolChoice<'de> {
    fn string(word: Text<'de>) -> Option<Self> {
        Some(Self::Word(word))
    }

    fn object<A: MapAccess<'de>>(members: A) -> Result<Option<Self>, A::Error> {
        let object = Tool::object(members)?;
        Ok(object.map(|object| Self::Tool(Box::new(object))))
    }
}

/// The member `response_format`.
#[derive(Debug, Default)]
pub struct ResponseFormat<'de> {
    /// `text`, `json_object` or `json_schema`.
    pub kind: Member<Text<'de>>,
    /// The schema, with its name.
    pub json_schema: Raw<'de>,
}

object_shape!(ResponseFormat<'de> {
    "type" => kind,
    "json_schema" => json_schema,
});

/// The member `stop`: one text or several.
#[derive(Debug)]
pub enum Stop<'de> {
    /// A single text.
    One(Text<'de>),
    /// A list that should hold texts.
    Many(Vec<Member<Text<'de>>>),
}

impl<'de> Shape<'de> for Stop<'de> {
    fn string(text: Text<'de>) -> Option<Self> {
        Some(Self::One(text))
    }

    fn array<A: SeqAccess<'de>>(items: A) -> Result<Option<Self>, A::Error> {
        Ok(Vec::array(items)?.map(Self::Many))
    }
}
