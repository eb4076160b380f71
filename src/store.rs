//! The host's key-value store, where there is one. The only file that names
//! `wasi:keyvalue`.
//!
//! Its import stands behind the feature `store`, because a host without the
//! interface would not start a component that asks for it.

use std::cell::OnceCell;
use std::rc::Rc;

/// Returns the store, which an instance opens once. None where there is none.
pub(crate) fn open() -> Option<Rc<Store>> {
    thread_local! {
        static STORE: OnceCell<Option<Rc<Store>>> = const { OnceCell::new() };
    }
    STORE.with(|cell| cell.get_or_init(|| Store::open().map(Rc::new)).clone())
}

pub(crate) use host::Store;

#[cfg(feature = "store")]
mod host {
    use std::cell::Cell;

    use spin_sdk::experimental::wasi::keyvalue::store::Error;
    use spin_sdk::experimental::wasi::keyvalue::{atomics, batch, store};

    use crate::counters::{Counters, Entry, Milliseconds, PREFIX, Windows};
    use crate::record;

    /// The name under which a host keeps the store.
    const NAME: &str = "default";

    /// How often entries that have ended are looked for.
    const SWEEPS: Windows = Windows { length: 3_600_000 };

    /// How many of them are deleted at once.
    const SWEPT: usize = 1000;

    /// The host's store.
    pub(crate) struct Store {
        bucket: store::Bucket,
        /// When this instance looks for ended entries again.
        next_sweep: Cell<Milliseconds>,
    }

    impl Store {
        /// Opens the store.
        pub(super) fn open() -> Option<Self> {
            let bucket = told(store::open(NAME), "open")?;
            let next_sweep = Cell::new(0);
            Some(Self { bucket, next_sweep })
        }

        /// Deletes entries that have ended, once in a while: a store keeps them
        /// for ever otherwise.
        pub(crate) fn sweep(&self, now: Milliseconds) {
            let end = SWEEPS.end(now);
            if now < self.next_sweep.replace(end) {
                return;
            }
            if self.add(&Entry::new("sweep", b"", end), 1) != Some(1) {
                return;
            }
            let Some(listed) = told(self.bucket.list_keys(None), "list") else {
                return;
            };
            let ours = listed
                .keys
                .into_iter()
                .filter(|key| key.starts_with(PREFIX));
            let ended: Vec<_> = ours
                .filter(|key| Entry::has_ended(key, now))
                .take(SWEPT)
                .collect();
            if !ended.is_empty() {
                told(batch::delete_many(&self.bucket, &ended), "delete");
            }
        }
    }

    impl Counters for Store {
        fn add(&self, entry: &Entry, amount: i64) -> Option<i64> {
            told(
                atomics::increment(&self.bucket, entry.as_str(), amount),
                "add",
            )
        }

        fn time(&self, entry: &Entry) -> Option<Milliseconds> {
            let bytes = told(self.bucket.get(entry.as_str()), "get")??;
            Some(Milliseconds::from_le_bytes(bytes.try_into().ok()?))
        }

        fn keep(&self, entry: &Entry, time: Milliseconds) {
            told(self.bucket.set(entry.as_str(), &time.to_le_bytes()), "set");
        }
    }

    /// Tells the log of a failure.
    fn told<T>(result: Result<T, Error>, doing: &str) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                let why = match &error {
                    Error::NoSuchStore => "there is no such store",
                    Error::AccessDenied => "access is denied",
                    Error::Other(text) => text,
                };
                record::notice(&format!("the key-value store does not {doing}: {why}"));
                None
            }
        }
    }
}

#[cfg(not(feature = "store"))]
mod host {
    use crate::counters::{Counters, Entry, Milliseconds};

    /// No store: there is no value of this type.
    pub(crate) enum Store {}

    impl Store {
        pub(super) fn open() -> Option<Self> {
            None
        }

        pub(crate) fn sweep(&self, _now: Milliseconds) {
            match *self {}
        }
    }

    impl Counters for Store {
        fn add(&self, _entry: &Entry, _amount: i64) -> Option<i64> {
            match *self {}
        }

        fn time(&self, _entry: &Entry) -> Option<Milliseconds> {
            match *self {}
        }

        fn keep(&self, _entry: &Entry, _time: Milliseconds) {
            match *self {}
        }
    }
}
