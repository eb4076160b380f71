//! A task of the component model, and how soon it sleeps.
//!
//! The executor of wit-bindgen is a `FuturesUnordered`, which yields whenever it
//! has polled each of its futures once: a task with a single future, which is
//! the usual one, asks the host for another turn before every wait, and does
//! nothing in it. A turn costs more than a small chunk's whole way.

#![forbid(unsafe_code)]

use futures_util::future::{AbortHandle, abortable, pending, ready};
use spin_sdk::wasip3::spawn;
use spin_sdk::wit_bindgen::yield_async;

/// A second future in a task, which is never ready while this guard lives. Where
/// it is, a task that waits sleeps at once.
#[derive(Debug)]
#[must_use = "the companion leaves when this is dropped"]
pub struct Companion(AbortHandle);

impl Companion {
    /// Joins the task that is running. The task ends no sooner than this guard.
    pub fn join() -> Self {
        let (companion, handle) = abortable(pending::<()>());
        spawn(async {
            // It is meant to be aborted.
            companion.await.ok();
        });
        // Has what is spawned after it polled in a round of its own.
        spawn(ready(()));
        Self(handle)
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Lets the host turn to other tasks. The executor takes the first wish to yield
/// of a future with a companion for an oversight, and polls it again.
pub async fn give_way() {
    yield_async().await;
    yield_async().await;
}
