//! Counters and times in the host's key-value store, which all instances share.
//!
//! Entries expire. The key of an entry contains its expiry time:
//! `tidegate/<seconds since 1970>/<purpose>/<digest>`. The digest identifies an
//! address or an API key without revealing it.

use std::time::Duration;

use super::digest::short_digest;
use super::expiry;
use super::store::Store;
use super::time::UnixMillis;

/// The prefix of the keys of entries.
const PREFIX: &str = "tidegate/";

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

    /// Reads the key of an entry. Returns `None` for another key.
    #[must_use]
    pub fn parse(key: &[u8]) -> Option<Self> {
        let entry = Self(str::from_utf8(key).ok()?.to_owned());
        entry.seconds().map(|_| entry)
    }

    /// Returns the key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the expiry time, in seconds since 1970.
    fn seconds(&self) -> Option<u64> {
        let rest = self.0.strip_prefix(PREFIX)?;
        rest.split('/').next()?.parse().ok()
    }

    /// Returns the expiry time.
    #[must_use]
    pub fn expiry(&self) -> UnixMillis {
        UnixMillis::new(self.seconds().unwrap_or_default().saturating_mul(1000))
    }
}

/// The entries of a store. `None` means that the store has failed.
#[derive(Debug)]
pub struct Counters<'s, S>(pub &'s S);

impl<S> Clone for Counters<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Counters<'_, S> {}

impl<S: Store> Counters<'_, S> {
    /// Returns the value of a counter. A missing counter is 0, and stays missing.
    #[must_use]
    pub fn count(self, entry: &Entry) -> Option<i64> {
        match self.0.exists(entry.as_str())? {
            true => self.0.increment(entry.as_str(), 0),
            false => Some(0),
        }
    }

    /// Adds to a counter in one atomic step and returns the sum.
    #[must_use]
    pub fn add(self, entry: &Entry, amount: i64) -> Option<i64> {
        self.register(entry)?;
        self.0.increment(entry.as_str(), amount)
    }

    /// Adds 1 to a counter below a limit and returns the sum. A counter at the limit stays
    /// as it is, and the sum is greater than the limit. So refusals cost no more the more
    /// there are. Concurrent additions have different sums.
    #[must_use]
    pub fn add_below(self, entry: &Entry, limit: i64) -> Option<i64> {
        if !self.0.exists(entry.as_str())? {
            expiry::register(self.0, entry)?;
        } else if self.0.increment(entry.as_str(), 0)? >= limit {
            return Some(limit.saturating_add(1));
        }
        self.0.increment(entry.as_str(), 1)
    }

    /// Returns a time, if the entry exists.
    #[must_use]
    pub fn time(self, entry: &Entry) -> Option<UnixMillis> {
        let bytes = self.0.get(entry.as_str())??;
        let millis = u64::from_le_bytes(bytes.try_into().ok()?);
        Some(UnixMillis::new(millis))
    }

    /// Sets a time.
    pub fn set_time(self, entry: &Entry, time: UnixMillis) -> Option<()> {
        self.register(entry)?;
        self.0.set(entry.as_str(), &time.millis().to_le_bytes())
    }

    /// Deletes an entry before it expires.
    pub fn forget(self, entry: &Entry) -> Option<()> {
        self.0.delete_many(&[entry.as_str().to_owned()])
    }

    /// Registers an entry that does not exist, before it is created: what is in the store
    /// can always be found.
    fn register(self, entry: &Entry) -> Option<()> {
        match self.0.exists(entry.as_str())? {
            true => Some(()),
            false => expiry::register(self.0, entry),
        }
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
mod tests {
    use super::*;
    use crate::access::store::fake::Memory;

    #[test]
    fn a_key_contains_its_expiry_and_hides_its_subject() {
        let entry = Entry::new("auth", b"203.0.113.9", UnixMillis::new(1_500));
        let key = entry.as_str();
        assert!(key.starts_with("tidegate/2/auth/"), "{key}");
        assert!(!key.contains("203"), "{key}");
        assert_eq!(entry.expiry(), UnixMillis::new(2_000));
        assert_eq!(Entry::parse(key.as_bytes()), Some(entry));
        for other in ["", "tidegate", "tidegate/", "tidegate/x/y", "other/1/a"] {
            assert_eq!(Entry::parse(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn reading_creates_nothing() {
        let store = Memory::default();
        let entry = Entry::new("minute", b"web", UnixMillis::new(60_000));
        let counters = Counters(&store);
        assert_eq!(counters.count(&entry), Some(0));
        assert_eq!(counters.time(&entry), None);
        assert_eq!(store.len(), 0);
        assert_eq!(counters.add(&entry, 2), Some(2));
        assert_eq!(counters.count(&entry), Some(2));
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
