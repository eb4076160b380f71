//! `gateway.auth.rateLimit` and the rates of keys.

use std::ops::RangeInclusive;

use tidegate_config::Section;

use crate::counters::Windows;
use crate::rate::Rate;
use crate::throttle::{Exemption, Throttle};

/// How many there may be of anything that is counted.
const COUNTS: RangeInclusive<u64> = 1..=1_000_000_000;

/// A second and a day, in milliseconds.
const TIMES: RangeInclusive<u64> = 1_000..=86_400_000;

/// Reads `gateway.auth.rateLimit`.
pub(super) fn read_throttle(limit: &mut Section<'_>) -> Throttle {
    Throttle {
        attempts: read_count(limit, "maxAttempts").unwrap_or(10),
        windows: Windows {
            length: limit.number("windowMs", TIMES).unwrap_or(60_000),
        },
        lockout: limit.number("lockoutMs", TIMES).unwrap_or(300_000),
        loopback: match limit.flag("exemptLoopback") {
            Some(false) => Exemption::None,
            Some(true) | None => Exemption::Spared,
        },
    }
}

/// Reads the rates of a key.
pub(super) fn read_rate(item: &mut Section<'_>) -> Rate {
    let mut rate = item.section("rate");
    let read = Rate {
        requests_per_minute: read_count(&mut rate, "requestsPerMinute"),
        runs_per_day: read_count(&mut rate, "runsPerDay"),
    };
    rate.deny_unknown_keys();
    read
}

fn read_count(section: &mut Section<'_>, key: &'static str) -> Option<u32> {
    let count = section.number(key, COUNTS)?;
    u32::try_from(count).ok()
}
