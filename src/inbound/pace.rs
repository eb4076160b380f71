//! How long a body may take to arrive.

use std::time::Duration;

/// The number of bytes that must arrive within [`STALL`].
const STEP: usize = 64 * 1024;

/// The time for [`STEP`] bytes of a body, or for its end.
const STALL: Duration = Duration::from_secs(30);

/// The time for a body, besides a second for each [`STEP`] that has arrived.
const START: Duration = Duration::from_secs(60);

/// The pace of a body.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    /// The begin of the current step.
    since: Duration,
    /// The number of bytes at that time.
    arrived: usize,
}

impl Pace {
    /// Returns the time until the pace must be checked, from `elapsed`, the age of the body.
    #[must_use]
    pub(super) fn rest(&self, elapsed: Duration, arrived: usize) -> Duration {
        let due = (self.since + STALL).min(allowance(arrived));
        due.saturating_sub(elapsed)
    }

    /// Checks the pace when that time has passed. Returns whether the body may go on.
    #[must_use]
    pub(super) fn check(&mut self, elapsed: Duration, arrived: usize) -> bool {
        if elapsed >= allowance(arrived) {
            return false;
        }
        if elapsed < self.since + STALL {
            return true;
        }
        let has_moved = arrived - self.arrived >= STEP;
        self.since = elapsed;
        self.arrived = arrived;
        has_moved
    }
}

fn allowance(arrived: usize) -> Duration {
    let seconds = u64::try_from(arrived / STEP).unwrap_or(u64::MAX);
    START.saturating_add(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the age at which a body is refused whose bytes arrive at a rate per second.
    fn refused(rate: usize) -> Option<u64> {
        let (mut pace, mut now) = (Pace::default(), Duration::ZERO);
        while now < Duration::from_secs(600) {
            let arrived = |now: Duration| now.as_secs() as usize * rate;
            now += pace.rest(now, arrived(now)).max(Duration::from_millis(10));
            if !pace.check(now, arrived(now)) {
                return Some(now.as_secs());
            }
        }
        None
    }

    #[test]
    fn a_body_that_stops_is_refused_after_half_a_minute() {
        assert_eq!(refused(0), Some(30));
        assert_eq!(refused(2_000), Some(30));
    }

    #[test]
    fn a_slow_body_is_refused_after_its_allowance() {
        let age = refused(4 * 1024).unwrap();
        assert!((60..=64).contains(&age), "{age}");
        let age = refused(32 * 1024).unwrap();
        assert!((115..=122).contains(&age), "{age}");
    }

    #[test]
    fn a_fast_body_goes_on() {
        assert_eq!(refused(65 * 1024), None);
    }
}
