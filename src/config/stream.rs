//! `tidegate.stream`.

use std::time::Duration;

use tidegate_config::Section;

use crate::exchange::DEFAULT_WRITE_TIMEOUT;

/// The timing of streamed replies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSettings {
    /// The silence after which a stream sends a comment. The default is 15 s.
    pub heartbeat: Duration,
    /// How long the response waits for the first event, so that a run that fails
    /// immediately gets its own status. The default is 1 s, the maximum 5 s.
    pub first_event_wait: Duration,
    /// The maximum time for one write. A client that does not read for so long counts as
    /// disconnected. The default is 2 min.
    pub write_timeout: Duration,
}

/// Reads `tidegate.stream`.
pub(super) fn read_stream(stream: &mut Section<'_>) -> StreamSettings {
    let heartbeat = stream.duration("heartbeat");
    if heartbeat.is_some_and(|time| time < Duration::from_secs(1)) {
        stream.fault("heartbeat", "must be at least \"1s\"");
    }
    let first_event_wait = stream.duration("firstEventWait");
    // The gateway cannot detect a disconnect during this time.
    if first_event_wait.is_some_and(|time| time > Duration::from_secs(5)) {
        stream.fault("firstEventWait", "must be at most \"5s\"");
    }
    let write_timeout = stream.duration("writeTimeout");
    if write_timeout.is_some_and(|time| time < Duration::from_secs(1)) {
        stream.fault("writeTimeout", "must be at least \"1s\"");
    }
    stream.deny_unknown_keys();
    StreamSettings {
        heartbeat: heartbeat.unwrap_or(Duration::from_secs(15)),
        first_event_wait: first_event_wait.unwrap_or(Duration::from_secs(1)),
        write_timeout: write_timeout.unwrap_or(DEFAULT_WRITE_TIMEOUT),
    }
}
