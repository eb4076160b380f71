//! The host's key-value store, `wasi:keyvalue`.
//!
//! The feature `store` adds the import, because a host without the interface does not
//! start a component that imports it.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use spin_sdk::time::sleep;
use spin_sdk::wasip3::spawn;
use tidegate_agent::task::{KeepAwake, yield_to_host};

use crate::access::{Sweep, UnixMillis};

/// The minimum time between two steps of a sweep.
const REST: Duration = Duration::from_millis(5);

/// Returns the store, which an instance opens once, or `None` if there is no store.
pub(crate) fn open() -> Option<Rc<Store>> {
    // The compiler then removes all that needs a store.
    if cfg!(not(feature = "store")) {
        return None;
    }
    thread_local! {
        static STORE: OnceCell<Option<Rc<Store>>> = const { OnceCell::new() };
    }
    STORE.with(|cell| cell.get_or_init(|| Store::open().map(Rc::new)).clone())
}

/// Deletes what has expired, beside the other tasks of the instance and at most once in
/// each period.
pub(crate) fn sweep(now: UnixMillis) {
    thread_local! {
        static NEXT: Cell<UnixMillis> = const { Cell::new(UnixMillis::new(0)) };
    }
    if now < NEXT.get() {
        return;
    }
    NEXT.set(Sweep::PERIOD.end(now));
    let Some(store) = open() else { return };
    let keep_awake = KeepAwake::join();
    spawn(async move {
        yield_to_host().await;
        if let Some(mut sweep) = Sweep::begin(store.as_ref(), now) {
            loop {
                let begin = Instant::now();
                if sweep.step(store.as_ref()) != Some(true) {
                    break;
                }
                // An event of a stream takes several turns, so one turn is too short a rest.
                sleep(begin.elapsed().max(REST)).await;
            }
        }
        keep_awake.leave();
    });
}

pub(crate) use host::Store;

#[cfg(feature = "store")]
mod host {
    use spin_sdk::experimental::wasi::keyvalue::store::Error;
    use spin_sdk::experimental::wasi::keyvalue::{atomics, batch, store};

    use crate::access;
    use crate::access_log;

    /// The name of the store.
    const NAME: &str = "default";

    /// The host's store.
    pub(crate) struct Store(store::Bucket);

    impl Store {
        /// Opens the store.
        pub(super) fn open() -> Option<Self> {
            logged(store::open(NAME), "open").map(Self)
        }
    }

    impl access::Store for Store {
        fn increment(&self, key: &str, amount: i64) -> Option<i64> {
            logged(atomics::increment(&self.0, key, amount), "increment")
        }

        fn exists(&self, key: &str) -> Option<bool> {
            logged(self.0.exists(key), "exists")
        }

        fn get(&self, key: &str) -> Option<Option<Vec<u8>>> {
            logged(self.0.get(key), "get")
        }

        fn get_many(&self, keys: &[String]) -> Option<Vec<Vec<u8>>> {
            let found = logged(batch::get_many(&self.0, keys), "get-many")?;
            Some(found.into_iter().filter_map(|(_, value)| value).collect())
        }

        fn set(&self, key: &str, value: &[u8]) -> Option<()> {
            logged(self.0.set(key, value), "set")
        }

        fn delete_many(&self, keys: &[String]) -> Option<()> {
            logged(batch::delete_many(&self.0, keys), "delete-many")
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
    use crate::access;

    /// The component has no store: this type has no values.
    pub(crate) enum Store {}

    impl Store {
        pub(super) fn open() -> Option<Self> {
            None
        }
    }

    impl access::Store for Store {
        fn increment(&self, _key: &str, _amount: i64) -> Option<i64> {
            match *self {}
        }

        fn exists(&self, _key: &str) -> Option<bool> {
            match *self {}
        }

        fn get(&self, _key: &str) -> Option<Option<Vec<u8>>> {
            match *self {}
        }

        fn get_many(&self, _keys: &[String]) -> Option<Vec<Vec<u8>>> {
            match *self {}
        }

        fn set(&self, _key: &str, _value: &[u8]) -> Option<()> {
            match *self {}
        }

        fn delete_many(&self, _keys: &[String]) -> Option<()> {
            match *self {}
        }
    }
}
