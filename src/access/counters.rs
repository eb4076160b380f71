//! Counters and times in the host's key-value store, which all instances share.

use super::entry::Entry;
use super::index;
use super::store::Store;
use super::time::UnixMillis;

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
            index::register(self.0, entry)?;
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
            false => index::register(self.0, entry),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::store::fake::Memory;

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
}
