//! How often the holder of a key may call.
//!
//! Minutes are those of the clock and days those of UTC, so that every instance
//! means the same ones. What is refused counts as well, which changes nothing.

use crate::counters::{Counters, Entry, Milliseconds, Windows, seconds_until};
use crate::rejection::Rejection;

const MINUTES: Windows = Windows { length: 60_000 };

const DAYS: Windows = Windows { length: 86_400_000 };

/// What there is only so much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// This many requests in a minute.
    RequestsPerMinute(u32),
    /// This many runs in a day.
    RunsPerDay(u32),
}

/// The rates of a key; none is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rate {
    /// How many requests may come in a minute.
    pub requests_per_minute: Option<u32>,
    /// How many runs may begin in a day.
    pub runs_per_day: Option<u32>,
}

impl Rate {
    /// Tells whether nothing is limited.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }

    /// Takes a permit for a request of the key of this name.
    ///
    /// # Errors
    /// More requests in this minute than there may be.
    pub fn request(
        &self,
        key: &str,
        counters: &impl Counters,
        now: Milliseconds,
    ) -> Result<(), Rejection> {
        let Some(limit) = self.requests_per_minute else {
            return Ok(());
        };
        take(Budget::RequestsPerMinute(limit), key, counters, now)
    }

    /// Takes a permit for a run of the key of this name.
    ///
    /// # Errors
    /// More runs on this day than there may be.
    pub fn run(
        &self,
        key: &str,
        counters: &impl Counters,
        now: Milliseconds,
    ) -> Result<(), Rejection> {
        let Some(limit) = self.runs_per_day else {
            return Ok(());
        };
        take(Budget::RunsPerDay(limit), key, counters, now)
    }
}

fn take(
    budget: Budget,
    key: &str,
    counters: &impl Counters,
    now: Milliseconds,
) -> Result<(), Rejection> {
    let (purpose, windows, limit) = match budget {
        Budget::RequestsPerMinute(limit) => ("minute", MINUTES, limit),
        Budget::RunsPerDay(limit) => ("day", DAYS, limit),
    };
    let end = windows.end(now);
    // Adding and looking are one step, so of those who race for the last permit
    // one alone sees it free.
    let taken = counters.add(&Entry::new(purpose, key.as_bytes(), end), 1);
    match taken {
        Some(taken) if taken > i64::from(limit) => Err(Rejection::OverBudget {
            budget,
            after: seconds_until(end, now),
        }),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::fake::{Broken, Memory};

    const RATE: Rate = Rate {
        requests_per_minute: Some(2),
        runs_per_day: Some(1),
    };

    #[test]
    fn a_minute_has_its_permits_and_the_next_one_has_them_anew() {
        let counters = Memory::default();
        let request = |key, now| RATE.request(key, &counters, now).is_ok();
        assert!(request("web", 60_000) && request("web", 119_999));
        assert!(!request("web", 119_999));
        assert!(request("app", 119_999));
        assert!(request("web", 120_000) && request("web", 120_000));
        assert!(!request("web", 120_000) && !request("web", 179_999));
        assert!(request("web", 180_000));
    }

    #[test]
    fn a_day_is_one_of_utc() {
        let counters = Memory::default();
        let midnight = 20_000 * DAYS.length;
        let run = |now| RATE.run("web", &counters, now);
        assert_eq!(run(midnight - 1), Ok(()));
        let after = |after| {
            let budget = Budget::RunsPerDay(1);
            Err(Rejection::OverBudget { budget, after })
        };
        assert_eq!(run(midnight - 1), after(1));
        assert_eq!(run(midnight), Ok(()));
        assert_eq!(run(midnight + 1_500), after(86_399));
    }

    #[test]
    fn what_is_not_limited_is_not_counted() {
        let counters = Memory::default();
        let unlimited = Rate::default();
        assert_eq!(unlimited.request("web", &counters, 0), Ok(()));
        assert_eq!(unlimited.run("web", &counters, 0), Ok(()));
        assert!(counters.sums.borrow().is_empty());
    }

    #[test]
    fn a_store_that_fails_limits_nothing() {
        for _ in 0..5 {
            assert_eq!(RATE.request("web", &Broken, 0), Ok(()));
            assert_eq!(RATE.run("web", &Broken, 0), Ok(()));
        }
    }
}
