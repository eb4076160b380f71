//! `gateway.auth.rateLimit`, the rate limits of API keys, and `tidegate.limits`.

use std::ops::RangeInclusive;
use std::time::Duration;

use tidegate_config::Section;

use crate::access::{Exemption, Rate, Throttle, Windows};

/// The range of counts.
const COUNTS: RangeInclusive<u64> = 1..=1_000_000_000;

/// The range of times in milliseconds, from a second to a day.
const TIMES: RangeInclusive<u64> = 1_000..=86_400_000;

/// Reads `gateway.auth.rateLimit`.
pub(super) fn read_throttle(limit: &mut Section<'_>) -> Throttle {
    Throttle {
        attempts: read_count(limit, "maxAttempts").unwrap_or(10),
        windows: Windows {
            length: read_millis(limit, "windowMs").unwrap_or(Duration::from_mins(1)),
        },
        lockout: read_millis(limit, "lockoutMs").unwrap_or(Duration::from_mins(5)),
        loopback: match limit.flag("exemptLoopback") {
            Some(false) => Exemption::NotExempt,
            Some(true) | None => Exemption::Exempt,
        },
    }
}

/// The default size limit of a body, in bytes.
const BODY: usize = 20 * 1024 * 1024;

/// The range of the size limit of a body, in bytes.
const BODIES: RangeInclusive<u64> = 1024..=100 * 1024 * 1024;

/// The default size limit of a text file, in bytes.
const TEXT_FILE: usize = 200 * 1024;

/// The default limit of a run's silence. It is longer than those of the runtimes.
const SILENCE: Duration = Duration::from_hours(2);

/// The limits of requests, `tidegate.limits`.
pub(super) struct Limits {
    /// The maximum size of a body, in bytes.
    pub(super) body: usize,
    /// The maximum number of concurrent runs.
    pub(super) concurrent_runs: Option<u32>,
    /// The maximum time without an event of a run.
    pub(super) silence: Duration,
    /// The maximum size of a text file in a message, in bytes.
    pub(super) text_file: usize,
}

/// Reads `tidegate.limits`.
pub(super) fn read_limits(section: &mut Section<'_>) -> Limits {
    let silence = section.duration("silence").unwrap_or(SILENCE);
    if silence < Duration::from_secs(1) {
        section.fault("silence", "must be at least \"1s\"");
    }
    let limits = Limits {
        body: read_size(section, "body", BODIES).unwrap_or(BODY),
        concurrent_runs: read_count(section, "concurrentRuns"),
        silence,
        text_file: read_size(section, "textFile", 0..=20 * 1024 * 1024).unwrap_or(TEXT_FILE),
    };
    section.deny_unknown_keys();
    limits
}

fn read_size(
    section: &mut Section<'_>,
    key: &'static str,
    range: RangeInclusive<u64>,
) -> Option<usize> {
    let size = section.number(key, range)?;
    usize::try_from(size).ok()
}

/// Reads the rate limits of a key.
pub(super) fn read_rate(item: &mut Section<'_>) -> Rate {
    let mut rate = item.section("rate");
    let read = Rate {
        requests_per_minute: read_count(&mut rate, "requestsPerMinute"),
        runs_per_day: read_count(&mut rate, "runsPerDay"),
        concurrent_runs: read_count(&mut rate, "concurrentRuns"),
    };
    rate.deny_unknown_keys();
    read
}

fn read_millis(section: &mut Section<'_>, key: &'static str) -> Option<Duration> {
    section.number(key, TIMES).map(Duration::from_millis)
}

fn read_count(section: &mut Section<'_>, key: &'static str) -> Option<u32> {
    let count = section.number(key, COUNTS)?;
    u32::try_from(count).ok()
}
