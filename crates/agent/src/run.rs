//! A run as a stream of its steps.

use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_util::stream::Stream;

use crate::runtime::{EventSink, Hold, Runtime, Slot};
use crate::step::{Ending, Step};
use crate::types::RunRequest;

/// A run in progress. It makes progress while it is polled, and dropping it cancels it.
pub struct Run {
    events: Slot,
    /// The work, until it has ended.
    work: Option<Pin<Box<dyn Future<Output = Ending>>>>,
    ended: Option<Ending>,
}

/// Begins a run of a runtime. `hold` is what exists as long as the memory of the request.
pub fn run<R: Runtime + 'static>(request: RunRequest, hold: Hold) -> Run {
    let events = Slot::default();
    let sink = EventSink::new(Rc::clone(&events), hold);
    Run {
        events,
        work: Some(Box::pin(R::run(request, sink))),
        ended: None,
    }
}

impl Stream for Run {
    type Item = Step;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Step>> {
        if let Some(work) = &mut self.work
            && let Poll::Ready(ended) = work.as_mut().poll(context)
        {
            self.ended = Some(ended);
            self.work = None;
        }
        let events = mem::take(&mut *self.events.borrow_mut());
        if !events.is_empty() {
            return Poll::Ready(Some(Step::Events(events)));
        }
        match self.ended.take() {
            Some(ended) => Poll::Ready(Some(Step::Ended(ended))),
            None if self.work.is_none() => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::pending;

    use futures_util::{FutureExt as _, StreamExt as _};

    use super::*;
    use crate::fixtures::{outcome, request, text};
    use crate::types::{Agent, RunError};

    thread_local! {
        static IS_CANCELLED: Cell<bool> = const { Cell::new(false) };
    }

    /// Repeats the id of the agent, twice.
    struct Twice;

    impl Runtime for Twice {
        async fn run(request: RunRequest, mut events: EventSink) -> Ending {
            events.send(vec![text(&request.agent)]).await;
            events.send(Vec::new()).await;
            events.send(vec![text(&request.agent)]).await;
            Ok(outcome())
        }

        async fn agents(_upstream: Option<String>) -> Result<Vec<Agent>, RunError> {
            Ok(Vec::new())
        }
    }

    struct Endless;

    impl Runtime for Endless {
        async fn run(_request: RunRequest, _events: EventSink) -> Ending {
            struct Guard;
            impl Drop for Guard {
                fn drop(&mut self) {
                    IS_CANCELLED.set(true);
                }
            }
            let _guard = Guard;
            pending().await
        }

        async fn agents(_upstream: Option<String>) -> Result<Vec<Agent>, RunError> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn a_run_is_its_events_and_then_its_end() {
        let steps: Vec<_> = run::<Twice>(request(Vec::new()), Hold::default())
            .collect()
            .now_or_never()
            .unwrap();
        let said = || Step::Events(vec![text("main")]);
        assert_eq!(steps, [said(), said(), Step::Ended(Ok(outcome()))]);
    }

    #[test]
    fn dropping_a_run_cancels_its_work() {
        let mut endless = run::<Endless>(request(Vec::new()), Hold::default());
        assert_eq!(endless.next().now_or_never(), None);
        assert!(!IS_CANCELLED.get());
        drop(endless);
        assert!(IS_CANCELLED.get());
    }
}
