//! The sink of a run's events: a stream whose reader may be slow and may disconnect at
//! any time.
//!
//! It uses the host: the stream, and `wasi:clocks`.

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use spin_sdk::time::sleep;
use spin_sdk::wit_bindgen::{StreamResult, StreamWriter};

use crate::types::{RunError, RunEvent};

/// How often to check whether the reader is still connected. The runtime interface
/// requires a run to detect a disconnect within half a second.
const TICK: Duration = Duration::from_millis(150);

/// The maximum time that events wait after the last write, so that they share a write. A
/// model produces less than an event in this time; faster events were already buffered,
/// and larger writes cost the caller and its client less.
const GAP: Duration = Duration::from_millis(1);

/// The reader has dropped the stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Disconnected;

/// The sink of one run.
pub(crate) struct EventSink {
    events: StreamWriter<RunEvent>,
    /// One timer for the whole run, restarted when it fires. A timer for every read costs a
    /// quarter of the throughput.
    tick: Timer,
    /// The time of the last write of a visible event.
    last_write: Option<Instant>,
    /// The timer of events that wait for a shared write.
    gap: Option<Timer>,
}

/// A pending timer.
type Timer = Pin<Box<dyn Future<Output = ()>>>;

impl EventSink {
    pub(crate) fn new(events: StreamWriter<RunEvent>) -> Self {
        Self {
            events,
            tick: Box::pin(sleep(TICK)),
            last_write: None,
            gap: None,
        }
    }

    /// Waits for a future as long as the reader is connected.
    ///
    /// The same future is polled across all ticks: dropping a read may lose its bytes.
    pub(crate) async fn wait_for<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<T, Disconnected> {
        let mut work = pin!(work);
        loop {
            if let Either::Left((done, _)) = select(work.as_mut(), self.tick.as_mut()).await {
                return Ok(done);
            }
            self.tick = Box::pin(sleep(TICK));
            self.check().await?;
        }
    }

    /// Like [`Self::wait_for`], but only as long as the pending events may wait. Returns
    /// `None` when they must be sent.
    pub(crate) async fn wait_in_gap<T>(
        &mut self,
        work: impl Future<Output = T> + Unpin,
    ) -> Result<Option<T>, Disconnected> {
        let Some(gap) = self.gap.take().or_else(|| self.begin_gap()) else {
            return Ok(None);
        };
        Ok(match self.wait_for(select(work, gap)).await? {
            Either::Left((done, gap)) => {
                self.gap = Some(gap);
                Some(done)
            }
            Either::Right(((), _)) => None,
        })
    }

    fn begin_gap(&self) -> Option<Timer> {
        let passed = self.last_write?.elapsed();
        let rest = GAP.checked_sub(passed)?;
        Some(Box::pin(sleep(rest)))
    }

    /// Sends events in one write and waits until the reader has taken all of them. Returns
    /// the empty list for reuse.
    pub(crate) async fn send(
        &mut self,
        events: Vec<RunEvent>,
    ) -> Result<Vec<RunEvent>, Disconnected> {
        if events.is_empty() {
            return Ok(events);
        }
        self.gap = None;
        if events.iter().any(is_visible) {
            self.last_write = Some(Instant::now());
        }
        let unsent = self.events.write_all(events).await;
        if unsent.is_empty() {
            Ok(unsent)
        } else {
            Err(Disconnected)
        }
    }

    /// Ends the stream, and returns the timer to drop later: dropping it gives the host a
    /// turn, in which a caller that sees the end of the stream should find the outcome, too.
    /// Only the speed depends on this turn of Wasmtime.
    pub(crate) fn close(self) -> Timer {
        drop(self.events);
        self.tick
    }

    /// Checks with an empty write whether the reader is still connected. The write completes
    /// immediately if it reads, later if it does not, and as dropped if it has
    /// disconnected:
    /// <https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#stream-state>.
    /// After [`Disconnected`], another write would trap.
    async fn check(&mut self) -> Result<(), Disconnected> {
        match self.events.write(Vec::new()).await {
            (StreamResult::Dropped, _) => Err(Disconnected),
            (StreamResult::Complete(_) | StreamResult::Cancelled, _) => Ok(()),
        }
    }
}

/// Returns whether a client sees an event. An empty text only says that the run has begun.
fn is_visible(event: &RunEvent) -> bool {
    !matches!(event, RunEvent::Text(text) if text.is_empty())
}

impl From<Disconnected> for RunError {
    fn from(Disconnected: Disconnected) -> Self {
        Self::Failed("the caller cancelled the run".to_owned())
    }
}
