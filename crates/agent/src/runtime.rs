//! An agent runtime, and the sink for the events of its runs.

use std::any::Any;
use std::cell::RefCell;
use std::future::poll_fn;
use std::mem;
use std::rc::Rc;
use std::task::Poll;

use crate::step::Ending;
use crate::types::{Agent, EmbeddingsOutcome, EmbeddingsRequest, RunError, RunEvent, RunRequest};

/// An agent runtime.
pub trait Runtime {
    /// Carries out a run, and returns how it ended.
    ///
    /// The caller cancels the run by dropping the future, at any await. So the work must
    /// stop when its futures are dropped, as dropping the body of a response closes its
    /// connection.
    fn run(request: RunRequest, events: EventSink) -> impl Future<Output = Ending>;

    /// Returns the agents of an upstream, see `agents` in `wit/runtime.wit`.
    fn agents(upstream: Option<String>) -> impl Future<Output = Result<Vec<Agent>, RunError>>;
}

/// A runtime that computes embeddings.
pub trait Embeddings {
    /// Computes embeddings, see `embed` in `wit/embeddings.wit`. The caller cancels the work
    /// by dropping the future.
    fn embed(
        request: EmbeddingsRequest,
    ) -> impl Future<Output = Result<EmbeddingsOutcome, RunError>>;
}

/// What exists as long as the memory of a run's request, such as a share of a budget. It
/// is released when its last clone is dropped.
#[derive(Debug, Clone, Default)]
pub struct Hold {
    _value: Option<Rc<dyn Any>>,
}

impl Hold {
    /// Holds a value.
    pub fn of(value: impl Any) -> Self {
        let _value: Rc<dyn Any> = Rc::new(value);
        Self {
            _value: Some(_value),
        }
    }
}

/// The sink for the events of one run.
#[derive(Debug)]
pub struct EventSink {
    slot: Slot,
    hold: Hold,
}

/// The events between the runtime and the reader of the run.
pub(crate) type Slot = Rc<RefCell<Vec<RunEvent>>>;

impl EventSink {
    pub(crate) fn new(slot: Slot, hold: Hold) -> Self {
        Self { slot, hold }
    }

    /// Returns the hold on the memory of the run's request. A runtime drops it together with
    /// the request, or with what it makes of it. Otherwise it exists until the run ends.
    pub fn take_hold(&mut self) -> Hold {
        mem::take(&mut self.hold)
    }

    /// Sends events, and waits until the caller has taken them (backpressure).
    pub async fn send(&mut self, events: Vec<RunEvent>) {
        self.slot.borrow_mut().extend(events);
        // The reader takes the events before it polls the run again.
        poll_fn(|_| {
            if self.slot.borrow().is_empty() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}
