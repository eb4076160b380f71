//! Calls of the runtime.

use std::pin::Pin;

use futures_util::stream::{Stream, unfold};
use spin_sdk::wit_bindgen::rt::async_support::{FutureReader, StreamReader, StreamResult};

use crate::run::ValidRun;
use crate::runtime::{Agent, RunError, RunEvent, RunOutcome, Step, calls};

/// The maximum number of events in one step. The runtime waits with further ones.
const BATCH: usize = 64;

/// The steps of a run. Dropping it cancels the run.
pub(crate) type Run = Pin<Box<dyn Stream<Item = Step>>>;

/// Starts a run.
///
/// The pending read is part of the stream and not of the future of its next item, so
/// a caller may stop waiting for a step and wait again later.
pub(crate) async fn start(run: ValidRun) -> Run {
    let (events, outcome) = calls::run(run.into_request()).await;
    let reading = Some(Reading { events, outcome });
    Box::pin(unfold(reading, |reading| async {
        Some(reading?.step().await)
    }))
}

/// Returns the agents of the runtime.
///
/// # Errors
/// The runtime's error.
pub(crate) async fn agents() -> Result<Vec<Agent>, RunError> {
    calls::agents().await
}

struct Reading {
    events: StreamReader<RunEvent>,
    outcome: FutureReader<Result<RunOutcome, RunError>>,
}

impl Reading {
    /// Reads the next step. A read after `Dropped` would trap.
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
