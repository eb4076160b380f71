//! Replies: a whole chat completion, and the chunks of a streamed one.
//!
//! Source: OpenAI's API reference, "The chat completion object" and "The chat
//! completion chunk object".

use serde::Serialize;

use crate::runtime::{StopReason, Usage as RunUsage};

/// A whole reply.
#[derive(Debug, Serialize)]
pub struct ChatCompletion<'a> {
    /// The id of the run.
    pub id: &'a str,
    /// Always `chat.completion`.
    pub object: &'static str,
    /// The time at which the run began, in seconds since 1970.
    pub created: u64,
    /// The `model` of the request.
    pub model: &'a str,
    /// The only choice.
    pub choices: [Choice<'a>; 1],
    /// The tokens of the run; zeros if the runtime does not report them.
    pub usage: Usage,
}

/// A choice. A reply has one, with the index 0.
#[derive(Debug, Serialize)]
pub struct Choice<'a> {
    /// Always 0.
    pub index: u32,
    /// The agent's message.
    pub message: Message<'a>,
    /// Always `null`: a run has no probabilities. OpenAI's schema requires the member.
    pub logprobs: Null,
    /// Why the agent stopped.
    pub finish_reason: FinishReason,
}

/// A member that is always `null`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Null;

/// The agent's message.
#[derive(Debug, Serialize)]
pub struct Message<'a> {
    /// Always `assistant`.
    pub role: &'static str,
    /// The text; `null` if the agent only calls tools.
    pub content: Option<&'a str>,
    /// Always `null`: a run has no refusals. OpenAI's schema requires the member.
    pub refusal: Null,
    /// The agent's reasoning, if clients may see it. Many servers have this member,
    /// and OpenAI's API does not.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub reasoning_content: &'a str,
    /// The tool calls; omitted if the list is empty.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub tool_calls: &'a [ToolCall],
}

/// A whole tool call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToolCall {
    /// The id of the call.
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

/// A chunk of a streamed reply.
#[derive(Debug, Serialize)]
pub struct ChatCompletionChunk<'a> {
    /// The id of the run, the same in all chunks.
    pub id: &'a str,
    /// Always `chat.completion.chunk`.
    pub object: &'static str,
    /// The time at which the run began, in seconds since 1970, the same in all chunks.
    pub created: u64,
    /// The `model` of the request.
    pub model: &'a str,
    /// The only choice; empty in the chunk with the usage.
    pub choices: &'a [ChunkChoice<'a>],
    /// The tokens of the run, in the last chunk, if the request asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

/// The choice of a chunk.
#[derive(Debug, Serialize)]
pub struct ChunkChoice<'a> {
    /// Always 0.
    pub index: u32,
    /// The addition to the message.
    pub delta: Delta<'a>,
    /// Why the agent stopped, in the last chunk with a choice.
    pub finish_reason: Option<FinishReason>,
}

/// The addition of a chunk to the message.
#[derive(Debug, Default, Serialize)]
pub struct Delta<'a> {
    /// `assistant`, in the first chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
    /// More text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<&'a str>,
    /// More reasoning, if clients may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<&'a str>,
    /// The beginning of a call, or more of its arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<[ToolCallDelta<'a>; 1]>,
}

/// The addition of a chunk to a tool call.
#[derive(Debug, Serialize)]
pub struct ToolCallDelta<'a> {
    /// The index of the call. SDKs need it in every chunk.
    pub index: usize,
    /// The id of the call, in its first chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a str>,
    /// `function`, in the first chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<&'static str>,
    /// The function.
    pub function: FunctionDelta<'a>,
}

/// The addition of a chunk to the function of a tool call.
#[derive(Debug, Serialize)]
pub struct FunctionDelta<'a> {
    /// The function's name, in the first chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// More of the arguments.
    pub arguments: &'a str,
}

/// Why the reply ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The agent has finished.
    Stop,
    /// The agent reached a token limit.
    Length,
    /// The agent waits for the results of tools.
    ToolCalls,
    /// A filter removed the rest.
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

/// The tokens of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// The tokens of the prompt.
    pub prompt_tokens: u64,
    /// The tokens of the reply.
    pub completion_tokens: u64,
    /// All counted tokens.
    pub total_tokens: u64,
    /// Details of the prompt, if the runtime reports them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens_details: Option<PromptTokensDetails>,
    /// Details of the reply, if the runtime reports them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_tokens_details: Option<CompletionTokensDetails>,
}

/// Details of the prompt's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PromptTokensDetails {
    /// Tokens from a cache.
    pub cached_tokens: u64,
}

/// Details of the reply's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CompletionTokensDetails {
    /// Tokens of reasoning.
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
