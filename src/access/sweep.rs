//! The deletion of expired entries.
//!
//! Instances that delete at the same time, or stop in the middle, lose nothing: deleting
//! twice is harmless, and the next deletion begins at the last slot that is complete.

use std::time::Duration;

use super::counters::Counters;
use super::entry::Entry;
use super::index::{self, SLOTS, SWEPT, count_key, item_key, slot_of};
use super::store::Store;
use super::time::UnixMillis;
use super::windows::Windows;

/// How long after its end a slot is deleted: the clocks of instances differ.
const GRACE: Duration = Duration::from_mins(1);

/// The number of slots before now that the first deletion looks at. No entry lasts longer.
const LOOK_BACK: u64 = 2 * 24 * 60;

/// How many slots the last one may lie in the future. A later one is an error of a clock.
const LOOK_AHEAD: u64 = 60;

/// The maximum number of slots that a step looks at, and of keys that it deletes.
const STEP: usize = 100;

/// The maximum number of places of the index in a step. Each is a key and has up to
/// [`TOGETHER`] keys, and a slot has one.
const BATCH: i64 = 19;

/// A deletion of expired entries, in steps.
#[derive(Debug, PartialEq, Eq)]
pub struct Sweep {
    /// The slot of the next step.
    slot: u64,
    /// The number of the next entry in it.
    next: i64,
    /// The last slot.
    last: u64,
}

impl Sweep {
    /// How often instances begin one.
    pub const PERIOD: Windows = SLOTS;

    /// Begins a deletion. Returns `None` if an instance has begun one in this period, if
    /// there is nothing to delete, and if the store has failed.
    #[must_use]
    pub fn begin(store: &impl Store, now: UnixMillis) -> Option<Self> {
        let counters = Counters(store);
        let claim = |end| Entry::new("sweep", b"", end);
        if counters.add(&claim(Self::PERIOD.end(now)), 1)? != 1 {
            return None;
        }
        counters.forget(&claim(Self::PERIOD.begin(now)))?;
        let last = slot_of(now.minus(GRACE)).checked_sub(1)?;
        let swept = store.get(SWEPT)?.and_then(|bytes| bytes.try_into().ok());
        let swept = swept.map(u64::from_le_bytes);
        let swept = swept.filter(|swept| *swept <= last.saturating_add(LOOK_AHEAD));
        let before = swept.unwrap_or(last.saturating_sub(LOOK_BACK));
        let slot = before.saturating_add(1);
        let next = 1;
        (slot <= last).then_some(Self { slot, next, last })
    }

    /// Deletes at most 100 keys. Returns whether any are left, or `None` if the store has
    /// failed. The caller lets other tasks run between two steps.
    pub fn step(&mut self, store: &impl Store) -> Option<bool> {
        for _ in 0..STEP {
            if self.slot > self.last {
                break;
            }
            let count_key = count_key(self.slot);
            if store.exists(&count_key)? {
                self.delete(store, count_key)?;
                break;
            }
            self.slot += 1;
        }
        store.set(SWEPT, &self.slot.saturating_sub(1).to_le_bytes())?;
        Some(self.slot <= self.last)
    }

    /// Deletes entries of the slot, and their places in the index.
    fn delete(&mut self, store: &impl Store, count_key: String) -> Option<()> {
        let count = store.increment(&count_key, 0)?;
        let end = count.min(self.next + BATCH - 1);
        let numbers = self.next..=end;
        let mut keys: Vec<_> = numbers.map(|number| item_key(self.slot, number)).collect();
        let registered = store.get_many(&keys)?;
        keys.extend(registered.iter().flat_map(|item| index::registered(item)));
        if end < count {
            self.next = end + 1;
        } else {
            keys.push(count_key);
            self.slot += 1;
            self.next = 1;
        }
        store.delete_many(&keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::store::fake::Memory;

    const BEGIN: UnixMillis = UnixMillis::new(1_800_000_000_000);

    fn after(seconds: u64) -> UnixMillis {
        BEGIN + Duration::from_secs(seconds)
    }

    fn add(store: &Memory, count: usize, expiry: UnixMillis) {
        for number in 0..count {
            let entry = Entry::new("minute", &number.to_le_bytes(), expiry);
            Counters(store).add(&entry, 1).unwrap();
        }
    }

    /// Deletes everything that has expired, and returns the number of steps.
    fn sweep(store: &Memory, now: UnixMillis) -> usize {
        let Some(mut sweep) = Sweep::begin(store, now) else {
            return 0;
        };
        (1..).find(|_| !sweep.step(store).unwrap()).unwrap()
    }

    /// The number of entries, without those of the sweep itself.
    fn entries(store: &Memory) -> usize {
        let keys = store.keys();
        keys.iter().filter(|key| key.contains("/minute/")).count()
    }

    #[test]
    fn everything_that_has_expired_is_deleted_in_small_steps() {
        let store = Memory::default();
        add(&store, 1000, after(30));
        add(&store, 7, after(600));
        assert!(sweep(&store, after(150)) >= 20);
        assert_eq!(entries(&store), 7);
        let deletions = store.deletions.borrow();
        assert!(
            deletions.iter().all(|count| *count <= STEP),
            "{deletions:?}"
        );
        drop(deletions);
        sweep(&store, after(800));
        assert_eq!(entries(&store), 0);
        assert!(store.len() <= 6, "{:?}", store.keys());
    }

    #[test]
    fn an_entry_that_has_not_expired_stays() {
        let store = Memory::default();
        add(&store, 1, after(60));
        for now in [0, 59, 61, 119] {
            sweep(&store, after(now));
            assert_eq!(entries(&store), 1, "{now}");
        }
    }

    #[test]
    fn one_instance_deletes_in_each_period() {
        let store = Memory::default();
        add(&store, 10, after(0));
        assert!(Sweep::begin(&store, after(180)).is_some());
        assert_eq!(Sweep::begin(&store, after(181)), None);
        // The first instance has stopped. Another one continues a minute later.
        assert!(sweep(&store, after(240)) > 0);
        assert_eq!(entries(&store), 0);
    }

    #[test]
    fn two_deletions_at_once_and_one_that_stops_lose_nothing() {
        let store = Memory::default();
        add(&store, 300, after(0));
        let mut first = Sweep::begin(&store, after(180)).unwrap();
        while entries(&store) > 200 {
            assert_eq!(first.step(&store), Some(true));
        }
        let mut second = Sweep::begin(&store, after(240)).unwrap();
        for _ in 0..5000 {
            first.step(&store).unwrap();
            second.step(&store).unwrap();
        }
        assert_eq!(entries(&store), 0);
        assert!(store.len() <= 6, "{:?}", store.keys());
    }

    #[test]
    fn a_pause_of_days_is_caught_up() {
        let store = Memory::default();
        sweep(&store, after(0));
        add(&store, 10, after(60));
        let days = 5 * 24 * 60 * 60;
        let steps = sweep(&store, after(days));
        assert!((50..100).contains(&steps), "{steps}");
        assert_eq!(entries(&store), 0);
    }

    #[test]
    fn a_position_in_the_future_is_an_error_of_a_clock() {
        let store = Memory::default();
        sweep(&store, after(10 * 365 * 24 * 60 * 60));
        add(&store, 10, after(60));
        sweep(&store, after(300));
        assert_eq!(entries(&store), 0);
    }
}
