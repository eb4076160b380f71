//! Whether a server takes connections: one that refused is passed over for a
//! while, which doubles each time, and then tried by a single run.

use std::cell::Cell;
use std::time::Duration;

/// A point in time, as the time since some common beginning.
pub type Moment = Duration;

/// How long a server is passed over at first.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// How long a server is passed over at most.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What is known of a server.
#[derive(Debug, Default)]
pub struct Availability(Cell<State>);

#[derive(Debug, Clone, Copy, Default)]
enum State {
    /// Nothing is known against it.
    #[default]
    Open,
    /// It refused; until then it is passed over.
    PassedOver { until: Moment, wait: Duration },
    /// A run tries it. If it has not failed by then, it has connected, or nobody
    /// waits for it any more.
    Probed { until: Moment, wait: Duration },
}

/// A run's attempt to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// One of any number.
    Ordinary,
    /// The one that tries a server which was passed over.
    Probe,
}

impl Availability {
    /// Tells whether a run that has the choice may go there.
    #[must_use]
    pub fn is_open(&self, now: Moment) -> bool {
        match self.0.get() {
            State::Open => true,
            State::PassedOver { until, .. } | State::Probed { until, .. } => now >= until,
        }
    }

    /// Begins an attempt, which fails within `limit` if it does.
    #[must_use]
    pub fn attempt(&self, now: Moment, limit: Duration) -> Attempt {
        match self.0.get() {
            State::PassedOver { until, wait } if now >= until => {
                let until = now.saturating_add(limit);
                self.0.set(State::Probed { until, wait });
                Attempt::Probe
            }
            State::Probed { until, .. } if now >= until => {
                self.0.set(State::Open);
                Attempt::Ordinary
            }
            // A run that has no choice goes there all the same.
            State::Open | State::PassedOver { .. } | State::Probed { .. } => Attempt::Ordinary,
        }
    }

    /// Notes that an attempt failed to connect. Returns for how long the server
    /// is passed over, if that is news: of attempts that fail together, the
    /// first one counts.
    pub fn refused(&self, attempt: Attempt, now: Moment) -> Option<Duration> {
        let wait = match (self.0.get(), attempt) {
            (State::Open, _) => FIRST_WAIT,
            (State::Probed { wait, .. }, Attempt::Probe) => {
                wait.saturating_mul(2).min(LONGEST_WAIT)
            }
            (State::Probed { .. }, Attempt::Ordinary) | (State::PassedOver { .. }, _) => {
                return None;
            }
        };
        let until = now.saturating_add(wait);
        self.0.set(State::PassedOver { until, wait });
        Some(wait)
    }

    /// Notes that an attempt connected. Returns whether that is news.
    pub fn connected(&self) -> bool {
        let before = self.0.replace(State::Open);
        !matches!(before, State::Open)
    }

    /// Returns until when the server is passed over, and how long that was in
    /// all; none if nothing is known against it.
    #[must_use]
    pub fn absence(&self) -> Option<(Moment, Duration)> {
        match self.0.get() {
            State::Open => None,
            State::PassedOver { until, wait } | State::Probed { until, wait } => {
                Some((until, wait))
            }
        }
    }

    /// Passes the server over, as another instance does. Whatever it says, that
    /// is no longer than this one would.
    pub fn pass_over(&self, now: Moment, left: Duration, wait: Duration) {
        let until = now.saturating_add(left.min(LONGEST_WAIT));
        let wait = wait.clamp(FIRST_WAIT, LONGEST_WAIT);
        self.0.set(State::PassedOver { until, wait });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long connecting may take in these tests.
    const LIMIT: Duration = Duration::from_secs(5);

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn refuse(server: &Availability, now: Moment) -> Option<Duration> {
        let attempt = server.attempt(now, LIMIT);
        server.refused(attempt, now)
    }

    #[test]
    fn a_server_that_refuses_is_passed_over_for_twice_as_long_each_time() {
        let server = Availability::default();
        let mut now = Moment::ZERO;
        for wait in [1, 2, 4, 8, 16, 32, 60, 60].map(seconds) {
            assert!(server.is_open(now));
            assert_eq!(refuse(&server, now), Some(wait));
            assert!(!server.is_open(now + wait - seconds(1) / 2), "{wait:?}");
            now += wait;
        }
    }

    #[test]
    fn a_server_that_connects_is_open_as_though_nothing_had_been() {
        let server = Availability::default();
        let now = Moment::ZERO;
        refuse(&server, now);
        let later = now + seconds(1);
        assert_eq!(server.attempt(later, LIMIT), Attempt::Probe);
        assert!(server.connected());
        assert!(!server.connected());
        assert!(server.is_open(later));
        assert_eq!(refuse(&server, later), Some(seconds(1)));
    }

    #[test]
    fn of_attempts_that_fail_together_one_counts() {
        let server = Availability::default();
        let now = Moment::ZERO;
        let attempts = [(); 16].map(|()| server.attempt(now, LIMIT));
        let waits = attempts.map(|attempt| server.refused(attempt, now));
        assert_eq!(waits.iter().flatten().collect::<Vec<_>>(), [&seconds(1)]);
        assert!(server.is_open(now + seconds(1)));
    }

    #[test]
    fn one_run_at_a_time_tries_a_server_that_was_passed_over() {
        let server = Availability::default();
        let now = Moment::ZERO;
        refuse(&server, now);
        let due = now + seconds(1);
        let probe = server.attempt(due, LIMIT);
        assert_eq!(probe, Attempt::Probe);
        assert!(!server.is_open(due));
        // A session that has no other server fails beside it, which is no news.
        assert_eq!(refuse(&server, due), None);
        assert_eq!(server.refused(probe, due), Some(seconds(2)));
    }

    #[test]
    fn what_another_instance_says_counts_within_limits() {
        let day = seconds(24 * 60 * 60);
        for (left, wait, until, next) in [
            (seconds(3), seconds(4), seconds(3), seconds(8)),
            (Duration::ZERO, Duration::ZERO, Duration::ZERO, seconds(2)),
            (day, day, seconds(60), seconds(60)),
        ] {
            let server = Availability::default();
            let now = seconds(1000);
            server.pass_over(now, left, wait);
            assert!(until.is_zero() || !server.is_open(now));
            assert!(server.is_open(now + until));
            assert_eq!(refuse(&server, now + until), Some(next));
        }
    }

    #[test]
    fn a_probe_that_has_not_failed_in_time_has_connected() {
        let server = Availability::default();
        let now = Moment::ZERO;
        refuse(&server, now);
        let due = now + seconds(1);
        assert_eq!(server.attempt(due, LIMIT), Attempt::Probe);
        assert!(!server.is_open(due + LIMIT - seconds(1)));
        assert!(server.is_open(due + LIMIT));
        assert_eq!(server.attempt(due + LIMIT, LIMIT), Attempt::Ordinary);
        assert!(server.is_open(due + LIMIT));
    }
}
