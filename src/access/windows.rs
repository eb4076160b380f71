//! The windows in which counters count.

use std::time::Duration;

use super::time::UnixMillis;

/// Consecutive windows of one length. The first one begins in 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// The length of a window, at least 1 ms.
    pub length: Duration,
}

impl Windows {
    /// Returns the beginning of the window that contains a time.
    #[must_use]
    pub fn begin(self, now: UnixMillis) -> UnixMillis {
        let length = u64::try_from(self.length.as_millis()).unwrap_or(u64::MAX);
        let elapsed = now.millis().checked_rem(length).unwrap_or(0);
        now.minus(Duration::from_millis(elapsed))
    }

    /// Returns the end of the window that contains a time.
    #[must_use]
    pub fn end(self, now: UnixMillis) -> UnixMillis {
        self.begin(now) + self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_one_another_without_a_gap() {
        let length = Duration::from_secs(60);
        let minutes = Windows { length };
        for (now, begin, end) in [
            (0, 0, 60_000),
            (59_999, 0, 60_000),
            (60_000, 60_000, 120_000),
            (60_001, 60_000, 120_000),
        ] {
            let time = UnixMillis::new(now);
            let found = (minutes.begin(time).millis(), minutes.end(time).millis());
            assert_eq!(found, (begin, end), "{now}");
        }
    }
}
