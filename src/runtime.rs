//! The interface to the agent runtime: the types of `tidegate:agent`, generated from
//! `wit/`, and the steps of a run.
//!
//! The types are plain and used everywhere. Only [`crate::host`] calls the runtime.

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::use_self,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::allow_attributes_without_reason,
    reason = "generated code, documented in wit/"
)]
mod bindings {
    spin_sdk::wit_bindgen::generate!({
        world: "gateway",
        path: "wit",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        additional_derives: [PartialEq],
        generate_all,
    });
}

#[cfg(target_family = "wasm")]
pub(crate) use bindings::tidegate::agent::runtime as calls;

pub use bindings::tidegate::agent::runtime::{
    Agent, ContentPart, Continuity, Image, InvalidKind, InvalidRequest, Message, ResponseFormat,
    Role, RunError, RunEvent, RunOutcome, RunRequest, Sampling, StopReason, Tool,
    ToolArgumentsDelta, ToolCall, ToolCallStart, ToolChoice, Usage,
};

impl Message {
    /// Returns whether the message is an instruction of the application, and not part
    /// of the conversation.
    #[must_use]
    pub fn is_instruction(&self) -> bool {
        match self.role {
            Role::System | Role::Developer => true,
            Role::User | Role::Assistant | Role::Tool => false,
        }
    }
}

/// A step of a run.
#[derive(Debug)]
pub enum Step {
    /// The events since the last step; never empty.
    Events(Vec<RunEvent>),
    /// The end of the run, after all events.
    Ended(Result<RunOutcome, RunError>),
}

impl Step {
    /// Returns whether the client sees anything of the step. An empty text only says
    /// that the run has begun.
    #[must_use]
    pub fn is_visible(&self) -> bool {
        let is_empty = |event: &RunEvent| matches!(event, RunEvent::Text(text) if text.is_empty());
        match self {
            Self::Events(events) => !events.iter().all(is_empty),
            Self::Ended(_) => true,
        }
    }
}
