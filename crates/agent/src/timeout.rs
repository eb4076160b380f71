//! Time limits of waits, which need not rely on those of the host.

use std::mem;
use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::future::{Either, select};
use spin_sdk::time::sleep;

/// The time limit of a silence: of each of many waits, without reading a clock at any.
pub struct Watchdog {
    period: Duration,
    timer: Pin<Box<dyn Future<Output = ()>>>,
    /// Whether a wait has ended in the current period.
    is_active: bool,
}

impl Watchdog {
    /// Begins the first period.
    #[must_use]
    pub fn new(period: Duration) -> Self {
        Self {
            period,
            timer: Box::pin(sleep(period)),
            is_active: true,
        }
    }

    /// Waits for at least one period, and for less than two. Then it returns `None`.
    pub async fn watch<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        loop {
            if let Either::Left((value, _)) = select(work.as_mut(), self.timer.as_mut()).await {
                self.is_active = true;
                return Some(value);
            }
            self.timer = Box::pin(sleep(self.period));
            if !mem::replace(&mut self.is_active, false) {
                return None;
            }
        }
    }
}

impl std::fmt::Debug for Watchdog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut watchdog = f.debug_struct("Watchdog");
        watchdog.field("period", &self.period);
        watchdog.finish_non_exhaustive()
    }
}

/// Waits for something for at most a time. Then it returns `None`.
pub async fn within<T>(time: Duration, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), pin!(sleep(time))).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}
