//! A chat completion request, as the client sent it.
//!
//! Parsing checks the JSON syntax only. A member of the wrong type becomes
//! `Member::Not`, and an unused member is skipped.
//!
//! Source: OpenAI's API reference, "Create chat completion".

mod message;
mod tool;

use std::borrow::Cow;

use tidegate_json::{Member, RawValue, Shape, SyntaxError, Value, object_shape};

pub use message::{CalledFunction, Content, File, Message, Messages, Part, ToolCall};
pub use tool::{Function, Tool, ToolChoice};

/// A string of the request.
pub type Text<'de> = Cow<'de, str>;

/// JSON text that is forwarded or parsed later. `null` becomes `None`.
pub type Raw<'de> = Option<&'de RawValue>;

/// The body of `POST /v1/chat/completions`.
#[derive(Debug, Default)]
pub struct ChatCompletionRequest<'de> {
    /// The model, which names the agent.
    pub model: Member<Text<'de>>,
    /// Whether to stream the reply.
    pub stream: Member<bool>,
    /// Options of a streamed reply.
    pub stream_options: Member<StreamOptions>,
    /// The tools that the client offers.
    pub tools: Member<Vec<Member<Tool<'de>>>>,
    /// Which tool the agent must call, if any.
    pub tool_choice: Member<ToolChoice<'de>>,
    /// Whether the agent may call several tools at once.
    pub parallel_tool_calls: Member<bool>,
    /// The conversation.
    pub messages: Member<Messages<'de>>,
    /// The client's id of its user.
    pub user: Member<Text<'de>>,
    /// The maximum number of tokens of the reply, by its older name.
    pub max_tokens: Member<f64>,
    /// The maximum number of tokens of the reply.
    pub max_completion_tokens: Member<f64>,
    /// Sampling temperature.
    pub temperature: Member<f64>,
    /// Nucleus sampling.
    pub top_p: Member<f64>,
    /// The format of the reply's text.
    pub response_format: Member<ResponseFormat<'de>>,
    /// Penalty for frequent tokens.
    pub frequency_penalty: Member<f64>,
    /// Penalty for tokens that occurred.
    pub presence_penalty: Member<f64>,
    /// A seed for repeatable sampling.
    pub seed: Member<f64>,
    /// Texts at which the reply ends.
    pub stop: Member<Stop<'de>>,
    /// How much reasoning the model should do.
    pub reasoning_effort: Member<Text<'de>>,
    /// The members that a run cannot use, see [`IGNORED`].
    pub ignored: Vec<(&'static str, Raw<'de>)>,
}

/// The members of OpenAI's API that an agent run cannot use. They have no effect.
pub const IGNORED: [&str; 17] = [
    "audio",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "metadata",
    "modalities",
    "n",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "top_logprobs",
    "verbosity",
    "web_search_options",
];

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
} else ignored: IGNORED);

/// The member `stream_options`.
#[derive(Debug, Default, PartialEq)]
pub struct StreamOptions {
    /// Whether the stream ends with a chunk that has the usage.
    pub include_usage: Member<bool>,
}

object_shape!(StreamOptions {
    "include_usage" => include_usage,
});

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

/// The member `json_schema` of a response format.
#[derive(Debug, Default)]
pub struct JsonSchema<'de> {
    /// The schema.
    pub schema: Raw<'de>,
}

object_shape!(JsonSchema<'de> {
    "schema" => schema,
});

/// The member `stop`: one text, or a list.
#[derive(Debug)]
pub enum Stop<'de> {
    /// A single text.
    One(Text<'de>),
    /// A list of texts.
    Many(Vec<Member<Text<'de>>>),
}

impl<'de> Shape<'de> for Stop<'de> {
    fn read(value: Value<'_, 'de>) -> Result<Option<Self>, SyntaxError> {
        match value {
            Value::String(text) => Ok(Some(Self::One(text))),
            value => Ok(Vec::read(value)?.map(Self::Many)),
        }
    }
}
