//! Answers: a whole chat completion, and the chunks of a streamed one.
//!
//! Source: OpenAI's API reference, "The chat completion object" and "The chat
//! completion chunk object".

use serde::Serialize;

use crate::runtime::{StopReason, Usage as RunUsage};

/// A whole answer.
#[derive(Debug, Serialize)]
pub struct ChatCompletion<'a> {
    /// The id of the run.
    pub id: &'a str,
    /// Always `chat.completion`.
    pub object: &'static str,
    /// When the run began, in seconds since 1970.
    pub created: u64,
    /// The model, as the request had it.
    pub model: &'a str,
    /// The one answer.
    pub choices: [Choice<'a>; 1],
    /// The tokens of the run; zeros if the runtime does not count them.
    pub usage: Usage,
}

/// An answer among the possible ones; there is one, with the index 0.
#[derive(Debug, Serialize)]
pub struct Choice<'a> {
    /// Always 0.
    pub index: u32,
    /// What the agent says.
    pub message: Message<'a>,
    /// Why it stopped.
    pub finish_reason: FinishReason,
}

/// What the agent says.
#[derive(Debug, Serialize)]
pub struct Message<'a> {
    /// Always `assistant`.
    pub role: &'static str,
    /// The text; empty if the agent only calls tools.
    pub content: &'a str,
    /// What the agent thought, if it is shown; a member that OpenAI's own API
    /// lacks and many servers have.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub reasoning_content: &'a str,
    /// The calls; left out if there are none.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub tool_calls: &'a [ToolCall],
}

/// A whole tool call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToolCall {
    /// The call's name.
    pub id: String,
    /// Always `function`.
    pub r#type: &'static str,
    /// The function.
    pub function: FunctionCall,
}

/// The function of a whole tool call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunctionCall {
    /// The function's name.
    pub name: String,
    /// The arguments, as JSON text.
    pub arguments: String,
}

/// A piece of a streamed answer.
#[derive(Debug, Serialize)]
pub struct ChatCompletionChunk<'a> {
    /// The id of the run, the same in all chunks.
    pub id: &'a str,
    /// Always `chat.completion.chunk`.
    pub object: &'static str,
    /// When the run began, in seconds since 1970, the same in all chunks.
    pub created: u64,
    /// The model, as the request had it.
    pub model: &'a str,
    /// One piece of the one answer; none in the chunk that tells the usage.
    pub choices: &'a [ChunkChoice<'a>],
    /// The tokens of the run, in the last chunk, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

/// A piece of the answer.
#[derive(Debug, Serialize)]
pub struct ChunkChoice<'a> {
    /// Always 0.
    pub index: u32,
    /// What is added.
    pub delta: Delta<'a>,
    /// Why the agent stopped, in the last piece.
    pub finish_reason: Option<FinishReason>,
}

/// What a chunk adds to the answer.
#[derive(Debug, Default, Serialize)]
pub struct Delta<'a> {
    /// `assistant`, in the first chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
    /// More text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<&'a str>,
    /// More of what the agent thinks, if it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<&'a str>,
    /// A call begun, or more of its arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<[ToolCallDelta<'a>; 1]>,
}

/// What a chunk adds to a tool call.
#[derive(Debug, Serialize)]
pub struct ToolCallDelta<'a> {
    /// Which call; SDKs need it in every piece.
    pub index: u32,
    /// The call's name, in its first piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a str>,
    /// `function`, in the first piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<&'static str>,
    /// The function.
    pub function: FunctionDelta<'a>,
}

/// What a chunk adds to the function of a tool call.
#[derive(Debug, Serialize)]
pub struct FunctionDelta<'a> {
    /// The function's name, in the first piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// More of the arguments.
    pub arguments: &'a str,
}

/// Why the answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The agent has finished.
    Stop,
    /// A limit of tokens was reached.
    Length,
    /// The agent waits for tools.
    ToolCalls,
    /// A filter kept the rest back.
    ContentFilter,
}

impl From<StopReason> for FinishReason {
    fn from(reason: StopReason) -> Self {
        match reason {
            StopReason::EndTurn => Self::Stop,
            StopReason::MaxTokens => Self::Length,
            StopReason::ToolCalls => Self::ToolCalls,
            StopReason::ContentFilter => Self::ContentFilter,
        }
    }
}

/// The tokens that a run took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// What the model read.
    pub prompt_tokens: u64,
    /// What the model wrote.
    pub completion_tokens: u64,
    /// All that is counted.
    pub total_tokens: u64,
    /// How much of the prompt was cached, if the runtime tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens_details: Option<PromptTokensDetails>,
    /// How much of the answer were thoughts, if the runtime tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_tokens_details: Option<CompletionTokensDetails>,
}

/// What the prompt's tokens were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PromptTokensDetails {
    /// Tokens that came from a cache.
    pub cached_tokens: u64,
}

/// What the answer's tokens were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CompletionTokensDetails {
    /// Tokens that were thoughts.
    pub reasoning_tokens: u64,
}

impl From<RunUsage> for Usage {
    fn from(usage: RunUsage) -> Self {
        Self {
            prompt_tokens: usage.input_tokens,
            completion_tokens: usage.output_tokens,
            total_tokens: usage.total_tokens,
            prompt_tokens_details: usage
                .cached_input_tokens
                .map(|cached_tokens| PromptTokensDetails { cached_tokens }),
            completion_tokens_details: usage
                .reasoning_tokens
                .map(|reasoning_tokens| CompletionTokensDetails { reasoning_tokens }),
        }
    }
}
