//! A repeating timer.

use std::pin::Pin;
use std::time::Duration;

use spin_sdk::time::sleep;

/// A repeating timer.
pub(crate) struct Interval {
    period: Duration,
    /// The time of the pending timer.
    armed: Duration,
    timer: Pin<Box<dyn Future<Output = ()>>>,
}

impl Interval {
    /// Starts a timer that fires after `first` and then every `period`.
    #[must_use]
    pub(crate) fn new(first: Duration, period: Duration) -> Self {
        Self {
            period,
            armed: first,
            timer: Box::pin(sleep(first)),
        }
    }

    /// Waits for the next tick and returns the time since the previous one. A caller
    /// may stop waiting and wait again: only a tick restarts the timer.
    pub(crate) async fn tick(&mut self) -> Duration {
        self.timer.as_mut().await;
        self.timer = Box::pin(sleep(self.period));
        std::mem::replace(&mut self.armed, self.period)
    }
}
