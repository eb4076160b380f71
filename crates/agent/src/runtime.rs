//! An agent runtime, and the sink for the events of its runs.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use crate::step::Ending;
use crate::types::{Agent, RunError, RunEvent, RunRequest};

/// An agent runtime.
pub trait Runtime {
    /// Carries out a run, and returns how it ended.
    ///
    /// The caller cancels the run by dropping the future, at any await. So the work must
    /// stop when its futures are dropped, as dropping the body of a response closes its
    /// connection.
    fn run(request: RunRequest, events: EventSink) -> impl Future<Output = Ending>;

    /// Returns the agents, see `agents` in `wit/runtime.wit`.
    fn agents() -> impl Future<Output = Result<Vec<Agent>, RunError>>;
}

/// The sink for the events of one run.
#[derive(Debug)]
pub struct EventSink(Slot);

/// The events between the runtime and the reader of the run.
pub(crate) type Slot = Rc<RefCell<Vec<RunEvent>>>;

impl EventSink {
    pub(crate) fn new(slot: Slot) -> Self {
        Self(slot)
    }

    /// Sends events, and waits until the caller has taken them (backpressure).
    pub async fn send(&mut self, events: Vec<RunEvent>) {
        self.0.borrow_mut().extend(events);
        // The reader takes the events before it polls the run again.
        poll_fn(|_| {
            if self.0.borrow().is_empty() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}
