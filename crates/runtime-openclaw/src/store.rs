//! The host's key-value store, where there is one. The only file that names
//! `wasi:keyvalue`.
//!
//! Its import stands behind the feature `store`, because a host without the
//! interface would not start a component that asks for it. A store that fails is
//! as good as none: each instance finds out for itself then.

use crate::availability::Moment;
use crate::pool::Pool;

/// Tells a pool what other instances know.
pub(crate) fn learn(pool: &Pool, now: Moment) {
    #[cfg(feature = "store")]
    host::learn(pool, now);
    #[cfg(not(feature = "store"))]
    let _nobody = (pool, now);
}

/// Tells other instances what a pool knows.
pub(crate) fn tell(pool: &Pool, now: Moment) {
    #[cfg(feature = "store")]
    host::tell(pool, now);
    #[cfg(not(feature = "store"))]
    let _nobody = (pool, now);
}

#[cfg(feature = "store")]
mod host {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use spin_sdk::experimental::wasi::keyvalue::store::{self, Bucket};

    use super::{Moment, Pool};

    /// The name under which a host keeps the store.
    const NAME: &str = "default";

    /// The name of the value.
    const KEY: &str = "tidegate-runtime/absences";

    pub(super) fn learn(pool: &Pool, now: Moment) {
        let bytes = open().and_then(|bucket| bucket.get(KEY).ok());
        if let Some(bytes) = bytes.flatten() {
            pool.learn(&bytes, now, time());
        }
    }

    pub(super) fn tell(pool: &Pool, now: Moment) {
        if let Some(bucket) = open() {
            bucket.set(KEY, &pool.absences(now, time())).ok();
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
