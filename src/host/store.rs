//! The host's key-value store, `wasi:keyvalue`.
//!
//! The feature `store` adds the import, because a host without the interface does not
//! start a component that imports it.

use std::cell::OnceCell;
use std::rc::Rc;

/// Returns the store, which an instance opens once, or `None` if there is no store.
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
    use std::time::Duration;

    use spin_sdk::experimental::wasi::keyvalue::store::Error;
    use spin_sdk::experimental::wasi::keyvalue::{atomics, batch, store};

    use crate::access::{Counters, Entry, PREFIX, UnixMillis, Windows};
    use crate::access_log;

    /// The name of the store.
    const NAME: &str = "default";

    /// How often an instance deletes expired entries.
    const SWEEPS: Windows = Windows {
        length: Duration::from_hours(1),
    };

    /// The maximum number of entries to delete at once.
    const SWEEP_LIMIT: usize = 1000;

    /// The host's store.
    pub(crate) struct Store {
        bucket: store::Bucket,
        /// The next time at which this instance deletes expired entries.
        next_sweep: Cell<UnixMillis>,
    }

    impl Store {
        /// Opens the store.
        pub(super) fn open() -> Option<Self> {
            let bucket = logged(store::open(NAME), "open")?;
            let next_sweep = Cell::new(UnixMillis::default());
            Some(Self { bucket, next_sweep })
        }
    }

    impl Counters for Store {
        fn add(&self, entry: &Entry, amount: i64) -> Option<i64> {
            let sum = atomics::increment(&self.bucket, entry.as_str(), amount);
            logged(sum, "add")
        }

        fn time(&self, entry: &Entry) -> Option<UnixMillis> {
            let bytes = logged(self.bucket.get(entry.as_str()), "get")??;
            let millis = u64::from_le_bytes(bytes.try_into().ok()?);
            Some(UnixMillis::new(millis))
        }

        fn set_time(&self, entry: &Entry, time: UnixMillis) {
            let bytes = time.millis().to_le_bytes();
            logged(self.bucket.set(entry.as_str(), &bytes), "set");
        }

        /// The store keeps entries forever otherwise. One instance deletes them in each
        /// window: the first one to increment a counter.
        fn delete_expired(&self, now: UnixMillis) {
            let end = SWEEPS.end(now);
            if now < self.next_sweep.replace(end) {
                return;
            }
            if self.add(&Entry::new("sweep", b"", end), 1) != Some(1) {
                return;
            }
            let Some(listed) = logged(self.bucket.list_keys(None), "list") else {
                return;
            };
            let keys = listed.keys.into_iter();
            let expired =
                keys.filter(|key| key.starts_with(PREFIX) && Entry::has_expired(key, now));
            let expired: Vec<_> = expired.take(SWEEP_LIMIT).collect();
            if !expired.is_empty() {
                logged(batch::delete_many(&self.bucket, &expired), "delete");
            }
        }
    }

    /// Logs a failure.
    fn logged<T>(result: Result<T, Error>, operation: &str) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                let why = match &error {
                    Error::NoSuchStore => "the store does not exist",
                    Error::AccessDenied => "access is denied",
                    Error::Other(text) => text,
                };
                access_log::notice(&format!("the key-value store failed to {operation}: {why}"));
                None
            }
        }
    }
}

#[cfg(not(feature = "store"))]
mod host {
    use crate::access::{Counters, Entry, UnixMillis};

    /// The component has no store: this type has no values.
    pub(crate) enum Store {}

    impl Store {
        pub(super) fn open() -> Option<Self> {
            None
        }
    }

    impl Counters for Store {
        fn add(&self, _entry: &Entry, _amount: i64) -> Option<i64> {
            match *self {}
        }

        fn time(&self, _entry: &Entry) -> Option<UnixMillis> {
            match *self {}
        }

        fn set_time(&self, _entry: &Entry, _time: UnixMillis) {
            match *self {}
        }

        fn delete_expired(&self, _now: UnixMillis) {
            match *self {}
        }
    }
}
