//! The seam to the agent runtime: the types of `tidegate:agent`, generated from
//! `wit/`, and a run as a stream of steps.
//!
//! The types are plain and used everywhere; only what is compiled for
//! WebAssembly calls the runtime.

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

pub use bindings::tidegate::agent::runtime::{
    Agent, ContentPart, Continuity, Image, InvalidKind, InvalidRequest, Message, ResponseFormat,
    Role, RunError, RunEvent, RunOutcome, RunRequest, Sampling, StopReason, Tool,
    ToolArgumentsDelta, ToolCall, ToolCallStart, ToolChoice, Usage,
};

impl Message {
    /// Tells whether the message is the application's instructions, and no part
    /// of what is said.
    #[must_use]
    pub fn instructs(&self) -> bool {
        match self.role {
            Role::System | Role::Developer => true,
            Role::User | Role::Assistant | Role::Tool => false,
        }
    }
}

/// What a run does next.
#[derive(Debug)]
pub enum Step {
    /// Everything that happened since the last step; never empty.
    Events(Vec<RunEvent>),
    /// The end, once, after all events.
    Ended(Result<RunOutcome, RunError>),
}

impl Step {
    /// Tells whether there is something in it for the client to see. An empty
    /// text only says that the run has begun.
    #[must_use]
    pub fn shows_something(&self) -> bool {
        let is_empty = |event: &RunEvent| matches!(event, RunEvent::Text(text) if text.is_empty());
        match self {
            Self::Events(events) => !events.iter().all(is_empty),
            Self::Ended(_) => true,
        }
    }
}

#[cfg(target_family = "wasm")]
pub use calls::{Run, agents, start};

#[cfg(target_family = "wasm")]
mod calls {
    use std::pin::Pin;

    use futures_util::stream::{Stream, unfold};
    use spin_sdk::wit_bindgen::rt::async_support::{FutureReader, StreamReader, StreamResult};

    use super::bindings::tidegate::agent::runtime;
    use super::{Agent, RunError, RunEvent, RunOutcome, RunRequest, Step};

    /// How many events are taken at once. A runtime that has more ready waits.
    const BATCH: usize = 64;

    /// A run under way. Dropping it cancels the run.
    pub type Run = Pin<Box<dyn Stream<Item = Step>>>;

    /// Starts a run.
    ///
    /// The pending read lives in the stream and not in the future of its next
    /// item: waiting for a step can be given up and taken up again.
    pub async fn start(request: RunRequest) -> Run {
        let (events, outcome) = runtime::run(request).await;
        let reading = Some(Reading { events, outcome });
        Box::pin(unfold(reading, |reading| async {
            Some(reading?.step().await)
        }))
    }

    /// Returns the agents that the runtime offers.
    ///
    /// # Errors
    /// Those of the runtime.
    pub async fn agents() -> Result<Vec<Agent>, RunError> {
        runtime::agents().await
    }

    struct Reading {
        events: StreamReader<RunEvent>,
        outcome: FutureReader<Result<RunOutcome, RunError>>,
    }

    impl Reading {
        /// The stream is not read again after `Dropped`: that would trap.
        async fn step(mut self) -> (Step, Option<Self>) {
            loop {
                let (result, events) = self.events.read(Vec::with_capacity(BATCH)).await;
                if !events.is_empty() {
                    return (Step::Events(events), Some(self));
                }
                match result {
                    StreamResult::Complete(_) | StreamResult::Cancelled => {}
                    StreamResult::Dropped => return (Step::Ended(self.outcome.await), None),
                }
            }
        }
    }
}
