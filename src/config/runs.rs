//! `tidegate.runs`.

use std::ops::RangeInclusive;
use std::time::Duration;

use tidegate_config::Section;

use crate::run_log::{LogMode, LogRules};

const MODES: [(&str, LogMode); 2] = [("off", LogMode::Off), ("requested", LogMode::Requested)];

/// The default size limit of a log, in bytes.
const LIMIT: usize = 8 * 1024 * 1024;

/// The range of the size limit, in bytes.
const LIMITS: RangeInclusive<u64> = 64 * 1024..=64 * 1024 * 1024;

/// The range of the times, a minute to a week. What expires later is not found.
const TIMES: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(7 * 24);

/// Reads `tidegate.runs`.
pub(super) fn read_runs(section: &mut Section<'_>) -> LogRules {
    let mode = section.choice("log", &MODES).unwrap_or(LogMode::Requested);
    let mut time = |key, default| {
        let time = section.duration(key).unwrap_or(default);
        if !TIMES.contains(&time) {
            section.fault(key, "must be from \"1m\" to \"7d\"");
        }
        time
    };
    let keep = time("keep", Duration::from_hours(24));
    let longest = time("longest", Duration::from_hours(1));
    let limit = section.number("limit", LIMITS);
    section.deny_unknown_keys();
    LogRules {
        mode,
        keep,
        longest,
        limit: limit
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(LIMIT),
    }
}
