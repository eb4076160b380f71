//! The caller of a run, as far as the run knows it: someone who reads events,
//! slowly perhaps, and who may leave at any time.
//!
//! Uses the host: the stream of events, and `wasi:clocks`.

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use spin_sdk::time::sleep;
use spin_sdk::wit_bindgen::{StreamResult, StreamWriter};

use crate::types::{RunError, RunEvent};

/// How often the caller is looked after. The contract gives a run half a
/// second to notice that nobody listens.
const TICK: Duration = Duration::from_millis(150);

/// How long something new may wait after the last time that the caller was told
/// anything. A model says less in that time; what comes faster was ready before,
/// and costs the caller and its client less in larger pieces.
const GAP: Duration = Duration::from_millis(1);

/// The caller has dropped the stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gone;

/// The caller of one run.
pub(crate) struct Audience {
    events: StreamWriter<RunEvent>,
    /// One timer for the whole run, armed again when it fires: a new one for
    /// every read costs a quarter of the token rate.
    tick: Clock,
    /// When the caller was last told something to show.
    told: Option<Instant>,
    /// Runs while something waits to be told.
    gap: Option<Clock>,
}

/// A timer under way.
type Clock = Pin<Box<dyn Future<Output = ()>>>;

impl Audience {
    pub(crate) fn new(events: StreamWriter<RunEvent>) -> Self {
        Self {
            events,
            tick: Box::pin(sleep(TICK)),
            told: None,
            gap: None,
        }
    }

    /// Waits for something, but only as long as the caller listens.
    ///
    /// The work stays in place over all ticks: a read that is dropped may lose
    /// the bytes that it took.
    pub(crate) async fn wait_for<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Gone> {
        let mut work = pin!(work);
        loop {
            if let Either::Left((done, _)) = select(work.as_mut(), self.tick.as_mut()).await {
                return Ok(done);
            }
            self.tick = Box::pin(sleep(TICK));
            self.check().await?;
        }
    }

    /// Waits for something as [`Self::wait_for`] does, but only as long as what
    /// there is to tell may wait. None means that its time has come.
    pub(crate) async fn wait_in_gap<T>(
        &mut self,
        work: impl Future<Output = T> + Unpin,
    ) -> Result<Option<T>, Gone> {
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

    fn begin_gap(&self) -> Option<Clock> {
        let passed = self.told?.elapsed();
        let rest = GAP.checked_sub(passed)?;
        Some(Box::pin(sleep(rest)))
    }

    /// Tells the events in one write and waits until all are taken. Returns
    /// the empty list for the next ones.
    pub(crate) async fn tell(&mut self, events: Vec<RunEvent>) -> Result<Vec<RunEvent>, Gone> {
        if events.is_empty() {
            return Ok(events);
        }
        self.gap = None;
        if events.iter().any(shows_something) {
            self.told = Some(Instant::now());
        }
        let left = self.events.write_all(events).await;
        if left.is_empty() { Ok(left) } else { Err(Gone) }
    }

    /// Ends the stream of events, and returns the clock to be stopped later: the
    /// host has a turn meanwhile, and a caller that sees the stream end in it
    /// should find the ending, too. Only the speed leans on that turn of Wasmtime.
    pub(crate) fn close(self) -> Clock {
        drop(self.events);
        self.tick
    }

    /// Asks the stream whether the caller still listens: a write of nothing is
    /// answered at once if it reads, later if it does not, and differently if
    /// it has left:
    /// <https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#stream-state>.
    /// After [`Gone`] nothing is written again: it would trap.
    async fn check(&mut self) -> Result<(), Gone> {
        match self.events.write(Vec::new()).await {
            (StreamResult::Dropped, _) => Err(Gone),
            (StreamResult::Complete(_) | StreamResult::Cancelled, _) => Ok(()),
        }
    }
}

/// Tells whether a client sees anything of an event. An empty text only says that
/// the run has begun.
fn shows_something(event: &RunEvent) -> bool {
    !matches!(event, RunEvent::Text(text) if text.is_empty())
}

impl From<Gone> for RunError {
    fn from(Gone: Gone) -> Self {
        Self::Failed("the caller cancelled the run".to_owned())
    }
}
