//! A run of the imported interface as a stream of its steps.

use futures_util::stream::{Stream, unfold};
use spin_sdk::wit_bindgen::rt::async_support::{
    FutureReader, FutureWriter, StreamReader, StreamResult,
};

use crate::step::{Ending, Step};
use crate::types::RunEvent;

/// The maximum number of events in one step. The runtime waits with further ones.
const BATCH: usize = 64;

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
    Reading(ImportedRun),
    Ended,
}

impl<F: Future<Output = ImportedRun>> State<F> {
    async fn step(self) -> Option<(Step, Self)> {
        let mut run = match self {
            Self::New(begin) => begin.await,
            Self::Reading(run) => run,
            Self::Ended => return None,
        };
        // A read after `Dropped` would trap.
        loop {
            let (result, events) = run.events.read(Vec::with_capacity(BATCH)).await;
            if !events.is_empty() {
                return Some((Step::Events(events), Self::Reading(run)));
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
