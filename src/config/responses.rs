//! `tidegate.responses`.

use std::ops::RangeInclusive;
use std::time::Duration;

use tidegate_config::Section;

/// The default size limit of a response, in bytes.
const LIMIT: usize = 8 * 1024 * 1024;

/// The range of the size limit, in bytes.
const LIMITS: RangeInclusive<u64> = 1024..=64 * 1024 * 1024;

/// The limits of responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseSettings {
    /// The maximum size of what a response says, in bytes, because its last event repeats
    /// it. The default is 8 MiB.
    pub limit: usize,
    /// The time without an event after which a stream repeats the response so far. The
    /// default is 2 min.
    pub progress: Duration,
}

/// Reads `tidegate.responses`.
pub(super) fn read_responses(section: &mut Section<'_>) -> ResponseSettings {
    let limit = section.number("limit", LIMITS);
    let progress = section.duration("progress");
    if progress.is_some_and(|time| time < Duration::from_secs(1)) {
        section.fault("progress", "must be at least \"1s\"");
    }
    section.deny_unknown_keys();
    ResponseSettings {
        limit: limit
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(LIMIT),
        progress: progress.unwrap_or(Duration::from_mins(2)),
    }
}
