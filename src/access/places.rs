//! Concurrent runs, counted over all instances.
//!
//! Time is divided into slots of half a minute, and each slot has a counter of the runs
//! that are in progress. A run counts in the current slot and in the next one, and while it
//! lasts, its instance adds it to one more slot in each slot. So an instance that has
//! stopped holds its places for at most a minute.

use std::cell::RefCell;
use std::time::Duration;

use crate::rejection::{RateLimit, Rejection};

use super::counters::Counters;
use super::entry::Entry;
use super::store::Store;
use super::time::UnixMillis;
use super::windows::Windows;

const SLOTS: Windows = Windows {
    length: Duration::from_secs(30),
};

/// When a client may try again, in seconds. A place is free when a run ends.
const RETRY_AFTER: u32 = 1;

/// A limit of concurrent runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceLimit {
    /// What the runs are counted for.
    pub subject: String,
    /// The limit, for the client.
    pub limit: RateLimit,
    /// The number of runs.
    pub runs: u32,
}

/// The places that the runs of this instance hold.
#[derive(Debug, Default)]
pub struct Places(RefCell<Vec<Share>>);

/// The runs of this instance for one subject.
#[derive(Debug)]
struct Share {
    subject: String,
    runs: i64,
    /// The end of the last slot that counts them.
    counted_until: UnixMillis,
}

impl Places {
    /// Takes a place for a run. Without a store, the limit applies to each instance.
    ///
    /// # Errors
    /// [`Rejection::RateLimited`] if there is none.
    pub fn take(
        &self,
        limit: &PlaceLimit,
        store: Option<&impl Store>,
        now: UnixMillis,
    ) -> Result<(), Rejection> {
        let rejected = Err(Rejection::RateLimited {
            limit: limit.limit,
            retry_after: RETRY_AFTER,
        });
        let mut shares = self.0.borrow_mut();
        let found = shares
            .iter()
            .position(|share| share.subject == limit.subject);
        let at = found.unwrap_or(shares.len());
        if found.is_none() {
            shares.push(Share {
                subject: limit.subject.clone(),
                runs: 0,
                counted_until: UnixMillis::default(),
            });
        }
        let Some(share) = shares.get_mut(at) else {
            return rejected;
        };
        // Runs in progress count before a new one.
        share.renew(store, now);
        let runs = i64::from(limit.runs);
        let before = store.and_then(|store| share.count(store, now));
        if before.is_none_or(|before| before < runs) {
            let counted = share.add(1, store, now);
            if counted.unwrap_or(share.runs + 1) <= runs {
                share.runs += 1;
                return Ok(());
            }
            share.add(-1, store, now);
        }
        if share.runs == 0 {
            shares.swap_remove(at);
        }
        rejected
    }

    /// Returns the place of a run that has ended.
    pub fn leave(&self, subject: &str, store: Option<&impl Store>, now: UnixMillis) {
        let mut shares = self.0.borrow_mut();
        let Some(at) = shares.iter().position(|share| share.subject == subject) else {
            return;
        };
        let Some(share) = shares.get_mut(at) else {
            return;
        };
        share.add(-1, store, now);
        share.runs -= 1;
        if share.runs <= 0 {
            shares.swap_remove(at);
        }
    }

    /// Counts the runs of this instance in the next slot, too. Call it once in each slot
    /// while there are any.
    pub fn renew(&self, store: Option<&impl Store>, now: UnixMillis) {
        for share in self.0.borrow_mut().iter_mut() {
            share.renew(store, now);
        }
    }

    /// Returns the time until the next slot, when the runs must be counted again.
    #[must_use]
    pub fn next_slot(now: UnixMillis) -> Duration {
        let rest = SLOTS.end(now).millis().saturating_sub(now.millis());
        Duration::from_millis(rest)
    }
}

impl Share {
    fn renew(&mut self, store: Option<&impl Store>, now: UnixMillis) {
        let current = SLOTS.end(now);
        let last = current + SLOTS.length;
        if let (Some(store), 1..) = (store, self.runs) {
            for end in [current, last] {
                if end > self.counted_until {
                    // A store that fails does not count.
                    Counters(store)
                        .add(&self.entry(end), self.runs)
                        .unwrap_or(0);
                }
            }
        }
        self.counted_until = last;
    }

    /// Returns the counter of the current slot. A refusal then adds nothing to the store.
    fn count(&self, store: &impl Store, now: UnixMillis) -> Option<i64> {
        Counters(store).count(&self.entry(SLOTS.end(now)))
    }

    /// Changes the counters of the current slot and of the later ones that count the runs.
    /// Returns that of the current slot.
    fn add(&self, amount: i64, store: Option<&impl Store>, now: UnixMillis) -> Option<i64> {
        let store = store?;
        let mut end = SLOTS.end(now);
        let mut current = None;
        while end <= self.counted_until {
            let count = Counters(store).add(&self.entry(end), amount);
            current = current.or(count);
            end = end + SLOTS.length;
        }
        current
    }

    fn entry(&self, end: UnixMillis) -> Entry {
        Entry::new("runs", self.subject.as_bytes(), end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::store::fake::{Failing, Memory};

    /// The beginning of a slot.
    const BEGIN: u64 = 1_800_000_000;

    fn at(seconds: u64) -> UnixMillis {
        UnixMillis::new((BEGIN + seconds) * 1000)
    }

    fn take(places: &Places, store: &Memory, seconds: u64) -> bool {
        places.take(&limit(2), Some(store), at(seconds)).is_ok()
    }

    fn limit(runs: u32) -> PlaceLimit {
        PlaceLimit {
            subject: "key:web".to_owned(),
            limit: RateLimit::ConcurrentRuns(runs),
            runs,
        }
    }

    #[test]
    fn instances_share_the_places() {
        let store = Memory::default();
        let (one, two) = (Places::default(), Places::default());
        assert!(take(&one, &store, 0) && take(&two, &store, 1));
        assert!(!take(&one, &store, 2) && !take(&two, &store, 2));
        one.leave("key:web", Some(&store), at(3));
        assert!(take(&two, &store, 4));
        assert!(!take(&one, &store, 5));
        let other = PlaceLimit {
            subject: "key:app".to_owned(),
            ..limit(1)
        };
        assert_eq!(one.take(&other, Some(&store), at(5)), Ok(()));
    }

    #[test]
    fn a_run_keeps_its_place_as_long_as_its_instance_renews_it() {
        let store = Memory::default();
        let (one, two) = (Places::default(), Places::default());
        assert!(take(&one, &store, 29) && take(&one, &store, 29));
        for slot in 1..100 {
            one.renew(Some(&store), at(slot * 30 + 5));
            for second in [0, 5, 29] {
                assert!(!take(&two, &store, slot * 30 + second), "{slot} {second}");
            }
        }
        one.leave("key:web", Some(&store), at(99 * 30 + 29));
        one.leave("key:web", Some(&store), at(99 * 30 + 29));
        assert!(take(&two, &store, 100 * 30) && take(&two, &store, 100 * 30));
        assert!(!take(&two, &store, 100 * 30));
    }

    #[test]
    fn an_instance_that_has_stopped_frees_its_places_within_a_minute() {
        for stopped in [0, 15, 29] {
            let store = Memory::default();
            let (one, two) = (Places::default(), Places::default());
            assert!(take(&one, &store, 0) && take(&one, &store, 0));
            one.renew(Some(&store), at(30 + stopped));
            assert!(!take(&two, &store, 30 + stopped));
            assert!(take(&two, &store, 30 + stopped + 60), "{stopped}");
        }
    }

    #[test]
    fn a_late_renewal_is_a_renewal() {
        let store = Memory::default();
        let (one, two) = (Places::default(), Places::default());
        assert!(take(&one, &store, 0) && take(&one, &store, 0));
        one.renew(Some(&store), at(1000));
        assert!(!take(&two, &store, 1000) && !take(&two, &store, 1031));
        one.leave("key:web", Some(&store), at(1040));
        assert!(take(&two, &store, 1041) && !take(&two, &store, 1042));
    }

    #[test]
    fn without_a_store_each_instance_has_the_limit() {
        let places = Places::default();
        let take = || places.take(&limit(1), None::<&Memory>, at(0)).is_ok();
        assert!(take() && !take());
        places.leave("key:web", None::<&Memory>, at(1));
        assert!(take());
        let places = Places::default();
        let take = || places.take(&limit(1), Some(&Failing), at(0)).is_ok();
        assert!(take() && !take());
        places.leave("key:web", Some(&Failing), at(1));
        assert!(take());
    }

    #[test]
    fn an_instance_without_runs_keeps_nothing() {
        let store = Memory::default();
        let places = Places::default();
        for second in 0..1000 {
            assert!(take(&places, &store, second));
            places.leave("key:web", Some(&store), at(second));
        }
        assert!(places.0.borrow().is_empty());
        let full = PlaceLimit {
            runs: 0,
            ..limit(1)
        };
        assert!(places.take(&full, Some(&store), at(0)).is_err());
        assert!(places.0.borrow().is_empty());
    }
}
