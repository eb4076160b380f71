//! The runtime that this component imports.

use futures_util::stream::{Stream, unfold};
use spin_sdk::wit_bindgen::rt::async_support::{
    FutureReader, FutureWriter, StreamReader, StreamResult,
};

use crate::bindings::gateway::tidegate::agent::runtime as imported;
use crate::bindings::gateway::wit_future;
use crate::step::{Ending, Step};
use crate::types::{Agent, RunError, RunEvent, RunRequest};

/// The maximum number of events in one step. The runtime waits with further ones.
const BATCH: usize = 64;

/// The imported runtime.
#[derive(Debug)]
pub struct Imported;

impl Imported {
    /// Begins a run.
    ///
    /// The pending read is part of the stream and not of the future of its next item, so
    /// a caller may stop waiting for a step and wait again later.
    pub fn run(request: RunRequest) -> impl Stream<Item = Step> {
        unfold(State::Requested(Box::new(request)), |state| async {
            state.step().await
        })
    }

    /// Returns the agents of the runtime.
    ///
    /// # Errors
    /// The runtime's error.
    pub async fn agents() -> Result<Vec<Agent>, RunError> {
        imported::agents().await
    }
}

enum State {
    Requested(Box<RunRequest>),
    Reading(Reading),
    Ended,
}

struct Reading {
    /// Dropped first, which resolves it and cancels the run.
    _cancelled: FutureWriter<()>,
    events: StreamReader<RunEvent>,
    outcome: FutureReader<Ending>,
}

impl State {
    async fn step(self) -> Option<(Step, Self)> {
        match self {
            Self::Requested(request) => {
                let (cancel, cancelled) = wit_future::new(|| ());
                let (events, outcome) = imported::run(*request, cancelled).await;
                let reading = Reading {
                    _cancelled: cancel,
                    events,
                    outcome,
                };
                Some(reading.step().await)
            }
            Self::Reading(reading) => Some(reading.step().await),
            Self::Ended => None,
        }
    }
}

impl Reading {
    /// Reads the next step. A read after `Dropped` would trap.
    async fn step(mut self) -> (Step, State) {
        loop {
            let (result, events) = self.events.read(Vec::with_capacity(BATCH)).await;
            if !events.is_empty() {
                return (Step::Events(events), State::Reading(self));
            }
            match result {
                StreamResult::Complete(_) | StreamResult::Cancelled => {}
                StreamResult::Dropped => return (Step::Ended(self.outcome.await), State::Ended),
            }
        }
    }
}
