//! A run of the imported interface as a stream of its steps.

use futures_util::stream::{Stream, unfold};
use spin_sdk::wit_bindgen::rt::async_support::{
    FutureReader, FutureWriter, StreamReader, StreamResult,
};

use crate::batch::Batch;
use crate::step::{Ending, Step};
use crate::types::RunEvent;

/// A run of the imported interface.
#[derive(Debug)]
pub struct ImportedRun {
    /// The writing end of `cancelled`. Dropped first, which resolves the future and cancels
    /// the run.
    pub cancel: FutureWriter<()>,
    /// The events.
    pub events: StreamReader<RunEvent>,
    /// The outcome.
    pub outcome: FutureReader<Ending>,
}

/// Begins a run, and returns its steps. Dropping the stream cancels the run.
///
/// The pending read is part of the stream and not of the future of its next item, so a
/// caller may stop waiting for a step and wait again later.
pub fn imported(begin: impl Future<Output = ImportedRun>) -> impl Stream<Item = Step> {
    unfold(State::New(begin), |state| state.step())
}

enum State<F> {
    New(F),
    Reading(ImportedRun, Batch),
    Ended,
}

impl<F: Future<Output = ImportedRun>> State<F> {
    async fn step(self) -> Option<(Step, Self)> {
        let (mut run, batch) = match self {
            Self::New(begin) => (begin.await, Batch::default()),
            Self::Reading(run, batch) => (run, batch),
            Self::Ended => return None,
        };
        // A read after `Dropped` would trap.
        loop {
            let (result, events) = run.events.read(Vec::with_capacity(batch.len())).await;
            if !events.is_empty() {
                let next = Self::Reading(run, batch.after(&events));
                return Some((Step::Events(events), next));
            }
            match result {
                StreamResult::Complete(_) | StreamResult::Cancelled => {}
                StreamResult::Dropped => {
                    return Some((Step::Ended(run.outcome.await), Self::Ended));
                }
            }
        }
    }
}
