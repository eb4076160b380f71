//! The host's key-value store, `wasi:keyvalue`, in which instances share their backoff state.
//!
//! The feature `store` adds the import, because a host without the interface does not start
//! a component that imports it. If the store fails, each instance has its own state.

use crate::availability::Moment;
use crate::pool::Pool;

/// Reads the backoff state of other instances. The name of the default upstream is empty.
pub(crate) fn learn(pool: &Pool, upstream: &str, now: Moment) {
    #[cfg(feature = "store")]
    host::learn(pool, upstream, now);
    #[cfg(not(feature = "store"))]
    let _unused = (pool, upstream, now);
}

/// Writes the backoff state for other instances.
pub(crate) fn share(pool: &Pool, upstream: &str, now: Moment) {
    #[cfg(feature = "store")]
    host::share(pool, upstream, now);
    #[cfg(not(feature = "store"))]
    let _unused = (pool, upstream, now);
}

#[cfg(feature = "store")]
mod host {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use spin_sdk::experimental::wasi::keyvalue::store::{self, Bucket};

    use super::{Moment, Pool};

    /// The name of the store.
    const NAME: &str = "default";

    /// The key of the backoff state of the default upstream, and the prefix of the others.
    /// Instances of other versions use the same keys.
    const KEY: &str = "tidegate-runtime/absences";

    fn key(upstream: &str) -> String {
        match upstream {
            "" => KEY.to_owned(),
            name => format!("{KEY}/{name}"),
        }
    }

    pub(super) fn learn(pool: &Pool, upstream: &str, now: Moment) {
        let bytes = open().and_then(|bucket| bucket.get(&key(upstream)).ok());
        if let Some(bytes) = bytes.flatten() {
            pool.learn(&bytes, now, time());
        }
    }

    pub(super) fn share(pool: &Pool, upstream: &str, now: Moment) {
        if let Some(bucket) = open() {
            bucket
                .set(&key(upstream), &pool.backoff_state(now, time()))
                .ok();
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
