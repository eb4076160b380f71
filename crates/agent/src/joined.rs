//! Joins the events of a fast run, so that they share a write.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::stream::{Stream, StreamExt as _, unfold};
use futures_util::{FutureExt as _, future::LocalBoxFuture};

use crate::step::Step;
use crate::types::RunEvent;

/// The maximum time that events wait after the last step. A model produces less than an
/// event in this time; faster events were already buffered, and larger writes cost the
/// reader and its client less.
const GAP: Duration = Duration::from_millis(1);

/// The size of the events' texts at which a step is complete, in bytes.
pub(crate) const STEP_SIZE: usize = 32 * 1024;

/// The host's clock.
pub trait Clock {
    /// Returns the time since some fixed instant.
    fn now() -> Duration;

    /// Waits.
    fn sleep(duration: Duration) -> impl Future<Output = ()> + 'static;
}

/// Joins events that are ready together or follow each other within a millisecond. A lone
/// event is not delayed.
pub fn joined<C: Clock + 'static>(
    steps: impl Stream<Item = Step> + Unpin + 'static,
) -> impl Stream<Item = Step> {
    let joiner = Joiner::<_, C> {
        steps,
        ended: None,
        last: None,
        clock: std::marker::PhantomData,
    };
    unfold(joiner, |mut joiner| async {
        let step = joiner.next().await?;
        Some((step, joiner))
    })
}

struct Joiner<S, C> {
    steps: S,
    /// The end of the run, read together with its last events.
    ended: Option<Step>,
    /// The time of the last step that a client sees.
    last: Option<Duration>,
    clock: std::marker::PhantomData<C>,
}

/// What follows the events of a step.
enum Next {
    Events(Vec<RunEvent>),
    /// The end of the run, or of the stream.
    End(Option<Step>),
    /// Nothing in time.
    Nothing,
}

impl From<Option<Step>> for Next {
    fn from(step: Option<Step>) -> Self {
        match step {
            Some(Step::Events(events)) => Self::Events(events),
            end => Self::End(end),
        }
    }
}

impl<S: Stream<Item = Step> + Unpin, C: Clock> Joiner<S, C> {
    async fn next(&mut self) -> Option<Step> {
        let first = match self.ended.take() {
            Some(ended) => Some(ended),
            None => self.steps.next().await,
        };
        let Some(Step::Events(mut events)) = first else {
            return first;
        };
        let mut size: usize = events.iter().map(RunEvent::size).sum();
        let mut gap = None;
        while size < STEP_SIZE {
            match self.following(&mut gap).await {
                Next::Events(more) => {
                    size += more.iter().map(RunEvent::size).sum::<usize>();
                    events.extend(more);
                }
                Next::End(ended) => {
                    self.ended = ended;
                    break;
                }
                Next::Nothing => break,
            }
        }
        if events.iter().any(RunEvent::is_visible) {
            self.last = Some(C::now());
        }
        Some(Step::Events(events))
    }

    async fn following(&mut self, gap: &mut Option<LocalBoxFuture<'static, ()>>) -> Next {
        if let Some(step) = self.steps.next().now_or_never() {
            return step.into();
        }
        if gap.is_none() {
            *gap = self.rest_of_gap().map(|rest| C::sleep(rest).boxed_local());
        }
        let Some(gap) = gap else { return Next::Nothing };
        match select(pin!(self.steps.next()), gap).await {
            Either::Left((step, _)) => step.into(),
            Either::Right(((), _)) => Next::Nothing,
        }
    }

    fn rest_of_gap(&self) -> Option<Duration> {
        let passed = C::now().checked_sub(self.last?)?;
        GAP.checked_sub(passed).filter(|rest| !rest.is_zero())
    }
}

/// The clock of `wasi:clocks`.
#[cfg(target_family = "wasm")]
#[derive(Debug)]
pub struct HostClock;

#[cfg(target_family = "wasm")]
impl Clock for HostClock {
    fn now() -> Duration {
        Duration::from_nanos(spin_sdk::wasip3::clocks::monotonic_clock::now())
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> + 'static {
        spin_sdk::time::sleep(duration)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::VecDeque;
    use std::future::{pending, ready};
    use std::task::Poll;

    use futures_util::stream::poll_fn;

    use super::*;
    use crate::fixtures::{outcome, text};

    thread_local! {
        static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    }

    /// A clock whose timers fire only if `FIRES`.
    struct Manual<const FIRES: bool>;

    impl<const FIRES: bool> Clock for Manual<FIRES> {
        fn now() -> Duration {
            NOW.get()
        }

        fn sleep(_duration: Duration) -> impl Future<Output = ()> + 'static {
            if FIRES {
                ready(()).left_future()
            } else {
                pending().right_future()
            }
        }
    }

    /// A stream of steps. `None` is a poll without a step.
    fn steps(steps: Vec<Option<Step>>) -> impl Stream<Item = Step> + Unpin {
        let mut steps = VecDeque::from(steps);
        poll_fn(move |_| match steps.pop_front() {
            Some(Some(step)) => Poll::Ready(Some(step)),
            Some(None) => Poll::Pending,
            None => Poll::Ready(None),
        })
    }

    fn said(texts: &[&str]) -> Step {
        Step::Events(texts.iter().copied().map(text).collect())
    }

    #[test]
    fn events_that_are_ready_together_are_one_step() {
        let parts = [said(&["a"]), said(&["b"]), Step::Ended(Ok(outcome()))];
        let joined = joined::<Manual<false>>(steps(parts.map(Some).into()));
        let all: Vec<_> = joined.collect().now_or_never().unwrap();
        assert_eq!(all, [said(&["a", "b"]), Step::Ended(Ok(outcome()))]);
    }

    #[test]
    fn a_lone_event_does_not_wait() {
        NOW.set(Duration::from_secs(1));
        let parts = vec![Some(said(&["a"])), None, Some(said(&["b"])), None];
        let mut joined = Box::pin(joined::<Manual<false>>(steps(parts)));
        assert_eq!(joined.next().now_or_never(), Some(Some(said(&["a"]))));
        NOW.set(Duration::from_secs(2));
        assert_eq!(joined.next().now_or_never(), Some(Some(said(&["b"]))));
    }

    #[test]
    fn events_within_the_gap_wait_for_each_other() {
        NOW.set(Duration::from_secs(1));
        let parts = || {
            let polls = [Some(said(&["a"])), None, Some(said(&["b"])), None];
            steps(
                polls
                    .into_iter()
                    .chain([None, Some(said(&["c"]))])
                    .collect(),
            )
        };
        let mut waiting = Box::pin(joined::<Manual<false>>(parts()));
        assert_eq!(waiting.next().now_or_never(), Some(Some(said(&["a"]))));
        // The last step is less than a millisecond ago.
        assert_eq!(waiting.next().now_or_never(), None);
        assert_eq!(waiting.next().now_or_never(), Some(Some(said(&["b", "c"]))));
        let mut due = Box::pin(joined::<Manual<true>>(parts()));
        assert_eq!(due.next().now_or_never(), Some(Some(said(&["a"]))));
        assert_eq!(due.next().now_or_never(), Some(Some(said(&["b"]))));
    }

    #[test]
    fn a_step_has_a_maximum_size() {
        let half = "x".repeat(STEP_SIZE / 2);
        let parts = [(); 3].map(|()| Some(said(&[&half])));
        let joined = joined::<Manual<false>>(steps(parts.into()));
        let all: Vec<_> = joined.collect().now_or_never().unwrap();
        assert_eq!(all, [said(&[&half, &half]), said(&[&half])]);
    }
}
