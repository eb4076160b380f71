//! Rate limits of API keys.
//!
//! Windows follow the clock: minutes, and days of UTC, so that all instances use
//! the same ones. Refused requests do not count.

use std::time::Duration;

use crate::rejection::{RateLimit, Rejection};

use super::counters::Counters;
use super::entry::Entry;
use super::store::Store;
use super::time::UnixMillis;
use super::windows::Windows;

const MINUTES: Windows = Windows {
    length: Duration::from_mins(1),
};

const DAYS: Windows = Windows {
    length: Duration::from_hours(24),
};

/// The rate limits of a key. `None` means no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rate {
    /// The number of requests per minute.
    pub requests_per_minute: Option<u32>,
    /// The number of runs per day.
    pub runs_per_day: Option<u32>,
    /// The number of concurrent runs.
    pub concurrent_runs: Option<u32>,
}

impl Rate {
    /// Returns whether there is no limit.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }

    /// Takes a permit for a request of the key with this name.
    ///
    /// # Errors
    /// [`Rejection::RateLimited`].
    pub fn permit_request(
        &self,
        key: &str,
        counters: Counters<'_, impl Store>,
        now: UnixMillis,
    ) -> Result<(), Rejection> {
        let Some(limit) = self.requests_per_minute else {
            return Ok(());
        };
        let rejection = RateLimit::RequestsPerMinute(limit);
        take(("minute", MINUTES, limit), rejection, key, counters, now)
    }

    /// Takes a permit for a run of the key with this name.
    ///
    /// # Errors
    /// [`Rejection::RateLimited`].
    pub fn permit_run(
        &self,
        key: &str,
        counters: Counters<'_, impl Store>,
        now: UnixMillis,
    ) -> Result<(), Rejection> {
        let Some(limit) = self.runs_per_day else {
            return Ok(());
        };
        let rejection = RateLimit::RunsPerDay(limit);
        take(("day", DAYS, limit), rejection, key, counters, now)
    }
}

fn take(
    (purpose, windows, count): (&str, Windows, u32),
    limit: RateLimit,
    key: &str,
    counters: Counters<'_, impl Store>,
    now: UnixMillis,
) -> Result<(), Rejection> {
    let entry = |end| Entry::new(purpose, key.as_bytes(), end);
    let end = windows.end(now);
    match counters.add_below(&entry(end), i64::from(count)) {
        Some(taken) if taken > i64::from(count) => Err(Rejection::RateLimited {
            limit,
            retry_after: now.seconds_until(end),
        }),
        Some(1) => {
            // One counter for each limit of a key: the window before is over.
            counters.forget(&entry(windows.begin(now)));
            Ok(())
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::store::fake::{Failing, Memory};

    const RATE: Rate = Rate {
        requests_per_minute: Some(2),
        runs_per_day: Some(1),
        concurrent_runs: None,
    };

    #[test]
    fn every_minute_has_its_own_permits() {
        let store = Memory::default();
        let counters = Counters(&store);
        let request = |key, now| {
            RATE.permit_request(key, counters, UnixMillis::new(now))
                .is_ok()
        };
        assert!(request("web", 60_000) && request("web", 119_999));
        assert!(!request("web", 119_999));
        assert!(request("app", 119_999));
        assert!(request("web", 120_000) && request("web", 120_000));
        assert!(!request("web", 120_000) && !request("web", 179_999));
        assert!(request("web", 180_000));
    }

    #[test]
    fn days_begin_at_midnight_utc() {
        let store = Memory::default();
        let counters = Counters(&store);
        let midnight = UnixMillis::default() + 20_000 * DAYS.length;
        let millis = Duration::from_millis;
        let run = |now| RATE.permit_run("web", counters, now);
        assert_eq!(run(midnight.minus(millis(1))), Ok(()));
        let after = |retry_after| {
            let limit = RateLimit::RunsPerDay(1);
            Err(Rejection::RateLimited { limit, retry_after })
        };
        assert_eq!(run(midnight.minus(millis(1))), after(1));
        assert_eq!(run(midnight), Ok(()));
        assert_eq!(run(midnight + millis(1_500)), after(86_399));
    }

    #[test]
    fn unlimited_keys_are_not_counted() {
        let store = Memory::default();
        let counters = Counters(&store);
        let unlimited = Rate::default();
        assert_eq!(
            unlimited.permit_request("web", counters, UnixMillis::default()),
            Ok(())
        );
        assert_eq!(
            unlimited.permit_run("web", counters, UnixMillis::default()),
            Ok(())
        );
        assert_eq!(store.len(), 0);
    }

    #[test]
    fn a_failing_store_limits_nothing() {
        for _ in 0..5 {
            let now = UnixMillis::default();
            assert_eq!(RATE.permit_request("web", Counters(&Failing), now), Ok(()));
            assert_eq!(RATE.permit_run("web", Counters(&Failing), now), Ok(()));
        }
    }

    #[test]
    fn refused_requests_add_nothing_and_a_key_has_one_counter() {
        let store = Memory::default();
        let counters = Counters(&store);
        for minute in 0..100 {
            for _ in 0..5 {
                let now = UnixMillis::new(minute * 60_000);
                drop(RATE.permit_request("web", counters, now));
            }
            let keys = store.keys();
            let counter = keys.iter().filter(|key| key.starts_with("tidegate/"));
            let counter: Vec<_> = counter.collect();
            assert_eq!(counter.len(), 1, "{counter:?}");
            assert_eq!(store.increment(counter[0], 0), Some(2));
        }
    }
}
