//! The members of a request that its response repeats.

use serde::{Deserialize, Serialize};
use tidegate_json::RawValue;

/// What a response repeats of its request. A member that the request lacks has its default.
#[derive(Debug, Serialize, Deserialize)]
pub struct Echo {
    /// The instructions of this run alone.
    pub instructions: Option<String>,
    /// The maximum number of tokens of the reply.
    pub max_output_tokens: Option<u64>,
    /// The maximum number of calls of hosted tools, which has no effect.
    pub max_tool_calls: Option<u64>,
    /// The client's metadata, an object.
    #[serde(with = "as_text")]
    pub metadata: Box<RawValue>,
    /// Whether the agent may call several tools at once. The default is `true`.
    pub parallel_tool_calls: bool,
    /// The response that this one continues.
    pub previous_response_id: Option<String>,
    /// The client's cache key, which has no effect.
    pub prompt_cache_key: Option<String>,
    /// The settings of reasoning.
    pub reasoning: ReasoningEcho,
    /// The client's id of its user, which has no effect.
    pub safety_identifier: Option<String>,
    /// The sampling temperature. The default is 1.
    pub temperature: f64,
    /// The format of the text, an object.
    #[serde(with = "as_text")]
    pub text: Box<RawValue>,
    /// The tool choice: a string or an object. The default is `auto`.
    #[serde(with = "as_text")]
    pub tool_choice: Box<RawValue>,
    /// The tools, an array.
    #[serde(with = "as_text")]
    pub tools: Box<RawValue>,
    /// Nucleus sampling. The default is 1.
    pub top_p: f64,
    /// The truncation, which has no effect.
    pub truncation: Truncation,
}

/// The member `reasoning` of a response.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ReasoningEcho {
    /// How much reasoning the model should do.
    pub effort: Option<String>,
    /// The kind of summary, which has no effect.
    pub summary: Option<String>,
}

/// The member `truncation` of a response.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truncation {
    /// The model may drop the middle of a long conversation.
    Auto,
    /// A conversation that is too long is an error.
    #[default]
    Disabled,
}

/// JSON as the text of a format that is not JSON.
mod as_text {
    use serde::de::{Deserialize as _, Deserializer, Error as _};
    use serde::ser::Serializer;
    use tidegate_json::RawValue;

    pub(super) fn serialize<S: Serializer>(
        json: &RawValue,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(json.get())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Box<RawValue>, D::Error> {
        let text = String::deserialize(deserializer)?;
        RawValue::from_string(text).map_err(|_| D::Error::custom("text that is not JSON"))
    }
}
