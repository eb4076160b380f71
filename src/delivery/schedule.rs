//! The attention that a silent stream needs.
//!
//! A host reports a disconnect only at a write, so a silent stream is probed. The longer
//! it is silent, the less often: its run is long, and a second more of it costs little.

use std::time::Duration;

/// The time between two looks at the streams of an instance, unless a stream has an exact
/// time limit. Streams that need attention within this time share a look.
pub const LOOK: Duration = Duration::from_millis(100);

/// The silence after which a stream is probed rarely.
const RECENT: Duration = Duration::from_secs(2);

/// The time between two probes of a stream that was active within [`RECENT`].
const OFTEN: Duration = Duration::from_millis(250);

/// The time between two probes of any other stream.
const RARELY: Duration = Duration::from_millis(1850);

/// How much earlier a stream that has been silent for longer than [`RECENT`] may be served,
/// so that it shares a look with others. Most of the cost of a look is waking the host.
const EARLY: Duration = Duration::from_millis(900);

/// What a stream needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// A probe, because its client may have disconnected.
    Probe,
    /// Its time limit is reached.
    Due,
}

/// When a stream needs attention. All times are those of a monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// Whether the stream was active since the last look. Its own writes do not read the
    /// clock, because that is a call of the host.
    was_active: bool,
    /// The last known activity.
    active_at: Duration,
    /// The begin of the time limit.
    since: Duration,
    limit: Duration,
    /// Whether the time limit is exact.
    is_exact: bool,
    probe_at: Duration,
}

impl Schedule {
    /// Makes the schedule of a new stream, with an exact time limit.
    #[must_use]
    pub fn new(now: Duration, limit: Duration) -> Self {
        Self {
            was_active: false,
            active_at: now,
            since: now,
            limit,
            is_exact: true,
            probe_at: now + OFTEN,
        }
    }

    /// Restarts the time limit, because the stream is active.
    pub fn restart(&mut self) {
        self.was_active = true;
    }

    /// Sets the time limit. It may be reached a sixteenth or [`EARLY`] too early, or
    /// [`LOOK`] too late.
    pub fn limit(&mut self, limit: Duration) {
        self.is_exact = false;
        self.limit = limit;
    }

    /// Looks at the stream.
    pub fn look(&mut self, now: Duration) -> Need {
        if self.was_active {
            self.was_active = false;
            self.active_at = now;
            self.since = now;
            self.probe_at = now + OFTEN;
            return Need::Nothing;
        }
        let silence = now.saturating_sub(self.active_at);
        let early = if silence < RECENT {
            Duration::ZERO
        } else {
            EARLY
        };
        let passed = now.saturating_sub(self.since) + early.min(self.limit / 16);
        if passed >= self.limit {
            self.since = now;
            // The heartbeat is a write, which reports a disconnect, too.
            self.probe_at = now + RARELY;
            return Need::Due;
        }
        if now + early < self.probe_at {
            return Need::Nothing;
        }
        self.probe_at = now + if silence < RECENT { OFTEN } else { RARELY };
        Need::Probe
    }

    /// Returns the time until the next look.
    #[must_use]
    pub fn rest(&self, now: Duration) -> Duration {
        let due = self.since.saturating_add(self.limit);
        if self.is_exact && due < self.probe_at {
            return due.saturating_sub(now);
        }
        due.min(self.probe_at).saturating_sub(now).max(LOOK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEARTBEAT: Duration = Duration::from_secs(15);

    fn running() -> Schedule {
        let mut schedule = Schedule::new(Duration::ZERO, HEARTBEAT);
        schedule.limit(HEARTBEAT);
        schedule
    }

    /// Looks at a stream as often as it asks for it, and returns the times of its writes,
    /// which report a disconnect.
    fn writes(schedule: &mut Schedule, from: Duration, until: Duration) -> Vec<Duration> {
        let (mut now, mut writes) = (from, Vec::new());
        while now < until {
            if schedule.look(now) != Need::Nothing {
                writes.push(now);
            }
            now += schedule.rest(now);
        }
        writes
    }

    #[test]
    fn a_silent_stream_is_probed_at_least_every_two_seconds() {
        let mut schedule = running();
        let until = Duration::from_secs(3600);
        let writes = writes(&mut schedule, Duration::ZERO, until);
        for (before, after) in writes.iter().zip(writes.iter().skip(1)) {
            let limit = if *before < RECENT {
                Duration::from_millis(500)
            } else {
                Duration::from_secs(2)
            };
            assert!(*after - *before <= limit, "{before:?} {after:?}");
        }
        assert!(writes.len() < 2_200, "{}", writes.len());
    }

    #[test]
    fn a_heartbeat_is_due_after_every_silence() {
        let mut schedule = running();
        let (mut now, mut beats) = (Duration::ZERO, Vec::new());
        while now < Duration::from_secs(50) {
            if schedule.look(now) == Need::Due {
                beats.push(now.as_secs());
            }
            now += schedule.rest(now);
        }
        assert_eq!(beats.len(), 3);
        for (period, beat) in (1..).zip(beats) {
            assert!((14 * period..=15 * period).contains(&beat), "{beat}");
        }
    }

    #[test]
    fn silent_streams_share_their_looks() {
        let begun = |n: u64| {
            let mut schedule = Schedule::new(Duration::from_millis(13 * n), HEARTBEAT);
            schedule.limit(HEARTBEAT);
            schedule
        };
        let mut streams: Vec<_> = (0..100).map(begun).collect();
        let (mut now, mut looks) = (Duration::from_secs(2), 0);
        while now < Duration::from_secs(62) {
            looks += 1;
            for stream in &mut streams {
                stream.look(now);
            }
            let rests = streams.iter().map(|stream| stream.rest(now));
            now += rests.min().unwrap();
        }
        // Alone, each stream needs 33 looks in this minute.
        assert!(looks < 80, "{looks}");
    }

    #[test]
    fn the_first_limit_is_exact() {
        let limit = Duration::from_millis(40);
        let mut schedule = Schedule::new(Duration::ZERO, limit);
        assert_eq!(schedule.rest(Duration::ZERO), limit);
        assert_eq!(schedule.look(limit), Need::Due);
    }

    #[test]
    fn a_limit_may_be_longer_than_all_time() {
        let mut schedule = Schedule::new(Duration::from_secs(1), Duration::MAX);
        assert_eq!(schedule.look(Duration::from_secs(2)), Need::Probe);
        assert!(schedule.rest(Duration::from_secs(2)) <= RARELY);
    }

    #[test]
    fn an_active_stream_is_not_probed() {
        let mut schedule = running();
        for n in 1..100 {
            schedule.restart();
            assert_eq!(schedule.look(n * LOOK), Need::Nothing);
        }
    }
}
