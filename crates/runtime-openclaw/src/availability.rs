//! The availability of a backend. A backend that refuses a connection is skipped for a
//! backoff, which doubles with each failure. Then a single run probes it.

use std::cell::Cell;
use std::time::Duration;

/// A point in time, as the time since an arbitrary origin.
pub type Moment = Duration;

/// The first backoff.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

/// The longest backoff.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// The availability of a backend.
#[derive(Debug, Default)]
pub struct Availability(Cell<State>);

#[derive(Debug, Clone, Copy, Default)]
enum State {
    /// It accepts connections, as far as the instance knows.
    #[default]
    Open,
    /// It refused a connection and is skipped.
    Skipped { until: Moment, backoff: Duration },
    /// A run probes it. If the probe has not failed by `until`, it has connected or was
    /// cancelled.
    Probed { until: Moment, backoff: Duration },
}

/// An attempt to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// An attempt of any run.
    Ordinary,
    /// The single attempt after a backoff.
    Probe,
}

impl Availability {
    /// Returns whether a run with a choice may use the backend.
    #[must_use]
    pub fn is_open(&self, now: Moment) -> bool {
        match self.0.get() {
            State::Open => true,
            State::Skipped { until, .. } | State::Probed { until, .. } => now >= until,
        }
    }

    /// Begins an attempt with a connect timeout of `limit`.
    #[must_use]
    pub fn attempt(&self, now: Moment, limit: Duration) -> Attempt {
        match self.0.get() {
            State::Skipped { until, backoff } if now >= until => {
                let until = now.saturating_add(limit);
                self.0.set(State::Probed { until, backoff });
                Attempt::Probe
            }
            State::Probed { until, .. } if now >= until => {
                self.0.set(State::Open);
                Attempt::Ordinary
            }
            // A run without a choice uses the backend in every state.
            State::Open | State::Skipped { .. } | State::Probed { .. } => Attempt::Ordinary,
        }
    }

    /// Records that an attempt failed to connect. Returns the new backoff, if there is one:
    /// among concurrent attempts, only the first failure counts.
    pub fn refused(&self, attempt: Attempt, now: Moment) -> Option<Duration> {
        let backoff = match (self.0.get(), attempt) {
            (State::Open, _) => FIRST_BACKOFF,
            (State::Probed { backoff, .. }, Attempt::Probe) => {
                backoff.saturating_mul(2).min(LONGEST_BACKOFF)
            }
            (State::Probed { .. }, Attempt::Ordinary) | (State::Skipped { .. }, _) => {
                return None;
            }
        };
        let until = now.saturating_add(backoff);
        self.0.set(State::Skipped { until, backoff });
        Some(backoff)
    }

    /// Records that an attempt connected. Returns whether the state changed.
    pub fn connected(&self) -> bool {
        let before = self.0.replace(State::Open);
        !matches!(before, State::Open)
    }

    /// Returns the end and the length of the backoff, or `None` for an open backend.
    #[must_use]
    pub fn backoff(&self) -> Option<(Moment, Duration)> {
        match self.0.get() {
            State::Open => None,
            State::Skipped { until, backoff } | State::Probed { until, backoff } => {
                Some((until, backoff))
            }
        }
    }

    /// Skips the backend as another instance does, but no longer than the longest
    /// backoff.
    pub fn skip(&self, now: Moment, left: Duration, backoff: Duration) {
        let until = now.saturating_add(left.min(LONGEST_BACKOFF));
        let backoff = backoff.clamp(FIRST_BACKOFF, LONGEST_BACKOFF);
        self.0.set(State::Skipped { until, backoff });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The connect timeout of these tests.
    const LIMIT: Duration = Duration::from_secs(5);

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn refuse(backend: &Availability, now: Moment) -> Option<Duration> {
        let attempt = backend.attempt(now, LIMIT);
        backend.refused(attempt, now)
    }

    #[test]
    fn the_backoff_doubles_with_each_failure() {
        let backend = Availability::default();
        let mut now = Moment::ZERO;
        for backoff in [1, 2, 4, 8, 16, 32, 60, 60].map(seconds) {
            assert!(backend.is_open(now));
            assert_eq!(refuse(&backend, now), Some(backoff));
            assert!(
                !backend.is_open(now + backoff - seconds(1) / 2),
                "{backoff:?}"
            );
            now += backoff;
        }
    }

    #[test]
    fn a_connection_resets_the_backoff() {
        let backend = Availability::default();
        let now = Moment::ZERO;
        refuse(&backend, now);
        let later = now + seconds(1);
        assert_eq!(backend.attempt(later, LIMIT), Attempt::Probe);
        assert!(backend.connected());
        assert!(!backend.connected());
        assert!(backend.is_open(later));
        assert_eq!(refuse(&backend, later), Some(seconds(1)));
    }

    #[test]
    fn concurrent_failures_count_once() {
        let backend = Availability::default();
        let now = Moment::ZERO;
        let attempts = [(); 16].map(|()| backend.attempt(now, LIMIT));
        let waits = attempts.map(|attempt| backend.refused(attempt, now));
        assert_eq!(waits.iter().flatten().collect::<Vec<_>>(), [&seconds(1)]);
        assert!(backend.is_open(now + seconds(1)));
    }

    #[test]
    fn one_run_probes_a_skipped_backend() {
        let backend = Availability::default();
        let now = Moment::ZERO;
        refuse(&backend, now);
        let due = now + seconds(1);
        let probe = backend.attempt(due, LIMIT);
        assert_eq!(probe, Attempt::Probe);
        assert!(!backend.is_open(due));
        // A session that has no other backend fails beside it, which is no news.
        assert_eq!(refuse(&backend, due), None);
        assert_eq!(backend.refused(probe, due), Some(seconds(2)));
    }

    #[test]
    fn what_another_instance_says_counts_within_limits() {
        let day = seconds(24 * 60 * 60);
        for (left, backoff, until, next) in [
            (seconds(3), seconds(4), seconds(3), seconds(8)),
            (Duration::ZERO, Duration::ZERO, Duration::ZERO, seconds(2)),
            (day, day, seconds(60), seconds(60)),
        ] {
            let backend = Availability::default();
            let now = seconds(1000);
            backend.skip(now, left, backoff);
            assert!(until.is_zero() || !backend.is_open(now));
            assert!(backend.is_open(now + until));
            assert_eq!(refuse(&backend, now + until), Some(next));
        }
    }

    #[test]
    fn a_probe_that_has_not_failed_in_time_has_connected() {
        let backend = Availability::default();
        let now = Moment::ZERO;
        refuse(&backend, now);
        let due = now + seconds(1);
        assert_eq!(backend.attempt(due, LIMIT), Attempt::Probe);
        assert!(!backend.is_open(due + LIMIT - seconds(1)));
        assert!(backend.is_open(due + LIMIT));
        assert_eq!(backend.attempt(due + LIMIT, LIMIT), Attempt::Ordinary);
        assert!(backend.is_open(due + LIMIT));
    }
}
