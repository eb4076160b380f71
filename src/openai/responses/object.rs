//! The response object.

use serde::Serialize;
use tidegate_json::RawValue;

use crate::runtime::Usage as RunUsage;

use super::echo::{ReasoningEcho, Truncation};
use super::item::OutputItem;

/// A response. Every member is always present, because the Open Responses specification
/// requires it.
#[derive(Debug, Serialize)]
pub struct Response<'a> {
    /// The id of the response.
    pub id: &'a str,
    /// Always `response`.
    pub object: &'static str,
    /// The time at which the run began, in seconds since 1970.
    pub created_at: u64,
    /// The time at which the run ended, in seconds since 1970, if it is complete.
    pub completed_at: Option<u64>,
    /// The status.
    pub status: ResponseStatus,
    /// Why the response is incomplete, if it is.
    pub incomplete_details: Option<IncompleteDetails>,
    /// The `model` of the request.
    pub model: &'a str,
    /// The response that this one continues.
    pub previous_response_id: Option<&'a str>,
    /// The instructions of this run alone.
    pub instructions: Option<&'a str>,
    /// The output.
    pub output: Vec<OutputItem<'a>>,
    /// The error of a run that failed.
    pub error: Option<ResponseError<'a>>,
    /// The tools, an array.
    pub tools: &'a RawValue,
    /// The tool choice, a string or an object.
    pub tool_choice: &'a RawValue,
    /// The truncation, which has no effect.
    pub truncation: Truncation,
    /// Whether the agent may call several tools at once.
    pub parallel_tool_calls: bool,
    /// The format of the text, an object.
    pub text: &'a RawValue,
    /// Nucleus sampling.
    pub top_p: f64,
    /// Always 0: the request has no such member.
    pub presence_penalty: u8,
    /// Always 0: the request has no such member.
    pub frequency_penalty: u8,
    /// Always 0: a run has no probabilities.
    pub top_logprobs: u8,
    /// The sampling temperature.
    pub temperature: f64,
    /// The settings of reasoning.
    pub reasoning: &'a ReasoningEcho,
    /// The tokens of a run that has ended; zeros if the runtime does not report them.
    pub usage: Option<ResponseUsage>,
    /// The maximum number of tokens of the reply.
    pub max_output_tokens: Option<u64>,
    /// The maximum number of calls of hosted tools, which has no effect.
    pub max_tool_calls: Option<u64>,
    /// Whether the client can get the response again.
    pub store: bool,
    /// Whether the run does not depend on the connection.
    pub background: bool,
    /// Always `default`.
    pub service_tier: &'static str,
    /// The client's metadata, an object.
    pub metadata: &'a RawValue,
    /// The client's id of its user, which has no effect.
    pub safety_identifier: Option<&'a str>,
    /// The client's cache key, which has no effect.
    pub prompt_cache_key: Option<&'a str>,
}

/// The status of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseStatus {
    /// The run has not ended.
    InProgress,
    /// The run succeeded.
    Completed,
    /// The run ended at a limit.
    Incomplete,
    /// The run failed.
    Failed,
    /// A client cancelled the run.
    Cancelled,
}

/// The member `incomplete_details` of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct IncompleteDetails {
    /// The reason.
    pub reason: IncompleteReason,
}

/// Why a response is incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IncompleteReason {
    /// The agent reached a token limit.
    MaxOutputTokens,
    /// A filter removed the rest.
    ContentFilter,
}

/// The error of a run that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ResponseError<'a> {
    /// The code by which programs recognize the error.
    pub code: ResponseErrorCode,
    /// A sentence for people.
    pub message: &'a str,
}

/// The code of an error, as in OpenAI's schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseErrorCode {
    /// The run failed.
    ServerError,
    /// The runtime is overloaded.
    RateLimitExceeded,
    /// The request is at fault.
    InvalidPrompt,
}

/// The tokens of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ResponseUsage {
    /// The tokens of the prompt.
    pub input_tokens: u64,
    /// Details of the prompt's tokens.
    pub input_tokens_details: InputTokensDetails,
    /// The tokens of the reply.
    pub output_tokens: u64,
    /// Details of the reply's tokens.
    pub output_tokens_details: OutputTokensDetails,
    /// All counted tokens.
    pub total_tokens: u64,
}

/// Details of the prompt's tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct InputTokensDetails {
    /// Tokens from a cache.
    pub cached_tokens: u64,
    /// Always 0: the runtime does not report them. OpenAI's schema requires the member.
    pub cache_write_tokens: u64,
}

/// Details of the reply's tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OutputTokensDetails {
    /// Tokens of reasoning.
    pub reasoning_tokens: u64,
}

impl From<RunUsage> for ResponseUsage {
    fn from(usage: RunUsage) -> Self {
        Self {
            input_tokens: usage.input_tokens,
            input_tokens_details: InputTokensDetails {
                cached_tokens: usage.cached_input_tokens.unwrap_or_default(),
                cache_write_tokens: 0,
            },
            output_tokens: usage.output_tokens,
            output_tokens_details: OutputTokensDetails {
                reasoning_tokens: usage.reasoning_tokens.unwrap_or_default(),
            },
            total_tokens: usage.total_tokens,
        }
    }
}
