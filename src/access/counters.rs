//! Counters in the host's key-value store, which all instances share.
//!
//! Entries expire. The key of an entry contains its expiry time:
//! `tidegate/<seconds since 1970>/<purpose>/<digest>`. The digest identifies an
//! address or an API key without revealing it.

use std::time::Duration;

use super::digest::short_digest;
use super::time::UnixMillis;

/// The prefix of all keys of entries.
pub const PREFIX: &str = "tidegate/";

/// A key-value store that counts. `None` means that the store failed: the limit
/// then does not apply, and the store logs the failure.
pub trait Counters {
    /// Adds to a counter in one atomic step and returns the sum. A missing counter
    /// is 0.
    fn add(&self, entry: &Entry, amount: i64) -> Option<i64>;

    /// Reads a time.
    fn time(&self, entry: &Entry) -> Option<UnixMillis>;

    /// Writes a time.
    fn set_time(&self, entry: &Entry, time: UnixMillis);

    /// Deletes expired entries, at most once an hour.
    fn delete_expired(&self, now: UnixMillis);
}

/// The key of an entry in the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entry(String);

impl Entry {
    /// Makes the key of an entry for a purpose and a subject, such as an address.
    #[must_use]
    pub fn new(purpose: &str, subject: &[u8], expiry: UnixMillis) -> Self {
        let expiry = expiry.millis().div_ceil(1000);
        let subject = short_digest(subject);
        Self(format!("{PREFIX}{expiry}/{purpose}/{subject}"))
    }

    /// Returns the key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether a key of the store is an expired entry.
    #[must_use]
    pub fn has_expired(key: &str, now: UnixMillis) -> bool {
        let expiry = key
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('/').next())
            .and_then(|expiry| expiry.parse::<u64>().ok());
        expiry.is_some_and(|expiry| expiry.saturating_mul(1000) <= now.millis())
    }
}

/// Consecutive windows of one length. The first one begins in 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// The length of a window, at least 1 ms.
    pub length: Duration,
}

impl Windows {
    /// Returns the beginning of the window that contains a time.
    #[must_use]
    pub fn begin(self, now: UnixMillis) -> UnixMillis {
        let length = u64::try_from(self.length.as_millis()).unwrap_or(u64::MAX);
        let elapsed = now.millis().checked_rem(length).unwrap_or(0);
        now.minus(Duration::from_millis(elapsed))
    }

    /// Returns the end of the window that contains a time.
    #[must_use]
    pub fn end(self, now: UnixMillis) -> UnixMillis {
        self.begin(now) + self.length
    }
}

#[cfg(test)]
pub(crate) mod fake {
    //! Stores for tests.

    use std::cell::RefCell;
    use std::collections::HashMap;

    use super::*;

    /// A store in memory.
    #[derive(Default)]
    pub(crate) struct Memory {
        pub(crate) sums: RefCell<HashMap<Entry, i64>>,
        pub(crate) times: RefCell<HashMap<Entry, UnixMillis>>,
    }

    impl Counters for Memory {
        fn add(&self, entry: &Entry, amount: i64) -> Option<i64> {
            let mut sums = self.sums.borrow_mut();
            let sum = sums.entry(entry.clone()).or_default();
            *sum += amount;
            Some(*sum)
        }

        fn time(&self, entry: &Entry) -> Option<UnixMillis> {
            self.times.borrow().get(entry).copied()
        }

        fn set_time(&self, entry: &Entry, time: UnixMillis) {
            self.times.borrow_mut().insert(entry.clone(), time);
        }

        fn delete_expired(&self, _: UnixMillis) {}
    }

    /// A store that always fails.
    pub(crate) struct Failing;

    impl Counters for Failing {
        fn add(&self, _: &Entry, _: i64) -> Option<i64> {
            None
        }

        fn time(&self, _: &Entry) -> Option<UnixMillis> {
            None
        }

        fn set_time(&self, _: &Entry, _: UnixMillis) {}

        fn delete_expired(&self, _: UnixMillis) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_contains_its_expiry_and_hides_its_subject() {
        let entry = Entry::new("auth", b"203.0.113.9", UnixMillis::new(1_500));
        let key = entry.as_str();
        assert!(key.starts_with("tidegate/2/auth/"), "{key}");
        assert!(!key.contains("203"), "{key}");
        assert!(!Entry::has_expired(key, UnixMillis::new(1_999)));
        assert!(Entry::has_expired(key, UnixMillis::new(2_000)));
        for other in ["", "tidegate", "tidegate/", "tidegate/x/y", "other/1/a"] {
            assert!(
                !Entry::has_expired(other, UnixMillis::new(u64::MAX)),
                "{other}"
            );
        }
    }

    #[test]
    fn windows_follow_one_another_without_a_gap() {
        let length = Duration::from_secs(60);
        let minutes = Windows { length };
        for (now, begin, end) in [
            (0, 0, 60_000),
            (59_999, 0, 60_000),
            (60_000, 60_000, 120_000),
            (60_001, 60_000, 120_000),
        ] {
            let time = UnixMillis::new(now);
            let found = (minutes.begin(time).millis(), minutes.end(time).millis());
            assert_eq!(found, (begin, end), "{now}");
        }
    }
}
