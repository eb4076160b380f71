//! The interface to the agent runtime: the types of `tidegate:agent`, and the steps of a
//! run. Only [`crate::host`] calls the runtime.

pub use tidegate_agent::Step;
pub use tidegate_agent::types::{
    Agent, Authority, ContentPart, Continuity, EmbeddingsOutcome, EmbeddingsRequest, Image,
    InvalidKind, InvalidRequest, Message, ResponseFormat, Role, RunError, RunEvent, RunOutcome,
    RunRequest, Sampling, StopReason, Tool, ToolArgumentsDelta, ToolCall, ToolCallStart,
    ToolChoice, Usage,
};
