//! Time limits of waits, which need not rely on those of the host.

use std::mem;
use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::future::{Either, select};
use spin_sdk::time::sleep;
use spin_sdk::wasip3::http::types::ErrorCode;

/// The timeout between two bytes, without reading a clock at each of them.
pub(crate) struct Watchdog {
    period: Duration,
    timer: Pin<Box<dyn Future<Output = ()>>>,
    /// Whether a wait has ended in the current period.
    is_active: bool,
}

impl Watchdog {
    pub(crate) fn new(period: Duration) -> Self {
        Self {
            period,
            timer: Box::pin(sleep(period)),
            is_active: true,
        }
    }

    /// Waits for at least one period, and for less than two.
    ///
    /// # Errors
    /// [`ErrorCode::ConnectionReadTimeout`].
    pub(crate) async fn watch<T>(&mut self, work: impl Future<Output = T>) -> Result<T, ErrorCode> {
        let mut work = pin!(work);
        loop {
            if let Either::Left((value, _)) = select(work.as_mut(), self.timer.as_mut()).await {
                self.is_active = true;
                return Ok(value);
            }
            self.timer = Box::pin(sleep(self.period));
            if !mem::replace(&mut self.is_active, false) {
                return Err(ErrorCode::ConnectionReadTimeout);
            }
        }
    }
}

/// Waits for something for at most a time.
pub(crate) async fn within<T>(time: Duration, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), pin!(sleep(time))).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}
