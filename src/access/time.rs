//! Points in time, which all instances agree on.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time, in milliseconds since 1970-01-01 (UTC).
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct UnixMillis(u64);

impl UnixMillis {
    /// Takes a number of milliseconds since 1970.
    #[must_use]
    pub const fn new(milliseconds: u64) -> Self {
        Self(milliseconds)
    }

    /// Converts the time of a system clock. A time before 1970 becomes 1970.
    #[must_use]
    pub fn of(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::default() + since
    }

    /// Returns the number of milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Returns the number of whole seconds since 1970.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// Returns an earlier time, at the earliest 1970.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// Returns the time until a later time, in seconds rounded up, at least 1.
    #[must_use]
    pub fn seconds_until(self, later: Self) -> u32 {
        let seconds = later.0.saturating_sub(self.0).div_ceil(1000).max(1);
        u32::try_from(seconds).unwrap_or(u32::MAX)
    }
}

impl std::ops::Add<Duration> for UnixMillis {
    type Output = Self;

    /// Returns a later time. It saturates at the end of 64 bits.
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_rounded_up_to_seconds_and_never_zero() {
        for (now, later, seconds) in [(0, 1_000, 1), (0, 1_001, 2), (5, 5, 1), (9_000, 0, 1)] {
            let wait = UnixMillis::new(now).seconds_until(UnixMillis::new(later));
            assert_eq!(wait, seconds);
        }
    }

    #[test]
    fn no_time_overflows() {
        let last = UnixMillis::new(u64::MAX);
        assert_eq!(last + Duration::MAX, last);
        assert_eq!(last.minus(Duration::MAX), UnixMillis::default());
        let before = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(UnixMillis::of(before), UnixMillis::default());
    }
}
