//! The host's key-value store, `wasi:keyvalue`, in which instances share their backoff state.
//!
//! The feature `store` adds the import, because a host without the interface does not start
//! a component that imports it. If the store fails, each instance has its own state.

use crate::availability::Moment;
use crate::pool::Pool;

/// Reads the backoff state of other instances.
pub(crate) fn learn(pool: &Pool, now: Moment) {
    #[cfg(feature = "store")]
    host::learn(pool, now);
    #[cfg(not(feature = "store"))]
    let _unused = (pool, now);
}

/// Writes the backoff state for other instances.
pub(crate) fn share(pool: &Pool, now: Moment) {
    #[cfg(feature = "store")]
    host::share(pool, now);
    #[cfg(not(feature = "store"))]
    let _unused = (pool, now);
}

#[cfg(feature = "store")]
mod host {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use spin_sdk::experimental::wasi::keyvalue::store::{self, Bucket};

    use super::{Moment, Pool};

    /// The name of the store.
    const NAME: &str = "default";

    /// The key of the backoff state. Instances of other versions use the same key.
    const KEY: &str = "tidegate-runtime/absences";

    pub(super) fn learn(pool: &Pool, now: Moment) {
        let bytes = open().and_then(|bucket| bucket.get(KEY).ok());
        if let Some(bytes) = bytes.flatten() {
            pool.learn(&bytes, now, time());
        }
    }

    pub(super) fn share(pool: &Pool, now: Moment) {
        if let Some(bucket) = open() {
            bucket.set(KEY, &pool.backoff_state(now, time())).ok();
        }
    }

    fn open() -> Option<Bucket> {
        store::open(NAME).ok()
    }

    /// Returns the time since 1970.
    fn time() -> Duration {
        let time = SystemTime::now().duration_since(UNIX_EPOCH);
        time.unwrap_or_default()
    }
}
