//! What is counted over all instances of the gateway, in a store of the host's.
//!
//! Every entry is for a time only, which its name tells: `tidegate/`, when it
//! ends in seconds since 1970, what it is for, and a digest of whom it is about.
//! So whoever looks at the store can tell which entries are over, and no name
//! tells an address or a caller.

use crate::hex;

/// What the names of all entries begin with.
pub const PREFIX: &str = "tidegate/";

/// A time in milliseconds since 1970.
pub type Milliseconds = u64;

/// A store that counts. None stands for a store that fails: what cannot be
/// counted is not limited, and the store tells the log.
pub trait Counters {
    /// Adds to a number, in one step, and returns the sum. A number that is not
    /// there is 0.
    fn add(&self, entry: &Entry, amount: i64) -> Option<i64>;

    /// Returns the time that is kept in an entry.
    fn time(&self, entry: &Entry) -> Option<Milliseconds>;

    /// Keeps a time in an entry.
    fn keep(&self, entry: &Entry, time: Milliseconds);
}

/// The name of what is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entry(String);

impl Entry {
    /// Names what is counted of somebody, for a purpose, until a time.
    #[must_use]
    pub fn new(purpose: &str, whose: &[u8], until: Milliseconds) -> Self {
        let until = until.div_ceil(1000);
        let whose = hex::short(whose);
        Self(format!("{PREFIX}{until}/{purpose}/{whose}"))
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether a name is one of an entry that has ended by a time.
    #[must_use]
    pub fn has_ended(name: &str, now: Milliseconds) -> bool {
        let until = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('/').next())
            .and_then(|until| until.parse::<u64>().ok());
        until.is_some_and(|until| until.saturating_mul(1000) <= now)
    }
}

/// Windows of one length that follow one another since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// The length of each in milliseconds, at least 1.
    pub length: Milliseconds,
}

impl Windows {
    /// Returns when the window around a time has begun.
    #[must_use]
    pub fn begin(self, now: Milliseconds) -> Milliseconds {
        now - now.checked_rem(self.length).unwrap_or(0)
    }

    /// Returns when the window around a time ends.
    #[must_use]
    pub fn end(self, now: Milliseconds) -> Milliseconds {
        self.begin(now).saturating_add(self.length)
    }
}

/// Returns how long it is until a time, in seconds rounded up, at least 1.
#[must_use]
pub fn seconds_until(time: Milliseconds, now: Milliseconds) -> u32 {
    let seconds = time.saturating_sub(now).div_ceil(1000).max(1);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

#[cfg(test)]
pub(crate) mod fake {
    //! A store that is as one of a host's.

    use std::cell::RefCell;
    use std::collections::HashMap;

    use super::*;

    #[derive(Default)]
    pub(crate) struct Memory {
        pub(crate) sums: RefCell<HashMap<Entry, i64>>,
        pub(crate) times: RefCell<HashMap<Entry, Milliseconds>>,
    }

    impl Counters for Memory {
        fn add(&self, entry: &Entry, amount: i64) -> Option<i64> {
            let mut sums = self.sums.borrow_mut();
            let sum = sums.entry(entry.clone()).or_default();
            *sum += amount;
            Some(*sum)
        }

        fn time(&self, entry: &Entry) -> Option<Milliseconds> {
            self.times.borrow().get(entry).copied()
        }

        fn keep(&self, entry: &Entry, time: Milliseconds) {
            self.times.borrow_mut().insert(entry.clone(), time);
        }
    }

    /// A store that fails at everything.
    pub(crate) struct Broken;

    impl Counters for Broken {
        fn add(&self, _: &Entry, _: i64) -> Option<i64> {
            None
        }

        fn time(&self, _: &Entry) -> Option<Milliseconds> {
            None
        }

        fn keep(&self, _: &Entry, _: Milliseconds) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_end_and_nobody() {
        let entry = Entry::new("auth", b"203.0.113.9", 1_500);
        let name = entry.as_str();
        assert!(name.starts_with("tidegate/2/auth/"), "{name}");
        assert!(!name.contains("203"), "{name}");
        assert!(!Entry::has_ended(name, 1_999));
        assert!(Entry::has_ended(name, 2_000));
        for other in ["", "tidegate", "tidegate/", "tidegate/x/y", "other/1/a"] {
            assert!(!Entry::has_ended(other, u64::MAX), "{other}");
        }
    }

    #[test]
    fn windows_touch_and_do_not_overlap() {
        let minutes = Windows { length: 60_000 };
        for (now, begin, end) in [
            (0, 0, 60_000),
            (59_999, 0, 60_000),
            (60_000, 60_000, 120_000),
            (60_001, 60_000, 120_000),
        ] {
            assert_eq!(
                (minutes.begin(now), minutes.end(now)),
                (begin, end),
                "{now}"
            );
        }
    }

    #[test]
    fn waiting_is_told_in_whole_seconds_and_never_none() {
        for (time, now, seconds) in [(1_000, 0, 1), (1_001, 0, 2), (5, 5, 1), (0, 9_000, 1)] {
            assert_eq!(seconds_until(time, now), seconds);
        }
    }
}
