//! The time in which a run reports nothing, and a stream sends nothing.

use std::time::Duration;

/// The silence of a run and of its stream. It knows the time from the waits that reached
/// their limit.
#[derive(Debug)]
pub(super) struct Silence {
    heartbeat: Duration,
    limit: Duration,
    progress: Option<Duration>,
    /// The time without a step of the run.
    of_run: Duration,
    /// The time without an event of the stream. A heartbeat is not an event.
    of_stream: Duration,
    /// The current wait.
    wait: Duration,
}

/// The action after a wait that reached its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// A comment.
    Heartbeat,
    /// An event with the reply so far.
    Progress,
    /// The end of the run, which has been silent for too long.
    Failure,
}

impl Silence {
    /// Begins with the time until a heartbeat, until the run has failed, and until an event
    /// with the progress.
    pub(super) fn new(heartbeat: Duration, limit: Duration, progress: Option<Duration>) -> Self {
        let mut silence = Self {
            heartbeat,
            limit,
            progress,
            of_run: Duration::ZERO,
            of_stream: Duration::ZERO,
            wait: heartbeat,
        };
        silence.wait();
        silence
    }

    /// Begins a wait and returns its limit.
    pub(super) fn wait(&mut self) -> Duration {
        let rest = |progress: Duration| progress.saturating_sub(self.of_stream);
        let progress = self.progress.map_or(self.heartbeat, rest);
        self.wait = self.heartbeat.min(progress);
        self.wait
    }

    /// Records a step of the run.
    pub(super) fn step(&mut self) {
        self.of_run = Duration::ZERO;
    }

    /// Records an event of the stream.
    pub(super) fn sent(&mut self) {
        self.of_stream = Duration::ZERO;
    }

    /// Records a wait that reached its limit.
    pub(super) fn due(&mut self) -> Due {
        self.of_run += self.wait;
        self.of_stream += self.wait;
        if self.of_run >= self.limit {
            return Due::Failure;
        }
        if self.progress.is_some_and(|time| self.of_stream >= time) {
            self.of_stream = Duration::ZERO;
            return Due::Progress;
        }
        Due::Heartbeat
    }
}
