//! A task of the component model, and how soon it sleeps.
//!
//! The executor of wit-bindgen is a `FuturesUnordered`, which yields whenever it
//! has polled each of its futures once: a task with a single future, which is
//! the usual one, asks the host for another turn before every wait, and does
//! nothing in it. A turn costs more than a small chunk's whole way.
//!
//! All of this leans on that executor and decides about speed only. On another
//! one, a companion is a future that is never ready, and [`give_way`] yields twice.
//! What `FuturesUnordered` does: <https://github.com/rust-lang/futures-rs/pull/2551>.

#![forbid(unsafe_code)]

use futures_util::future::{AbortHandle, FutureExt as _, abortable, pending, ready};
use spin_sdk::wasip3::spawn;
use spin_sdk::wit_bindgen::yield_async;

/// A second future in a task, which is never ready before [`Self::leave`]. Where
/// it is, a task that waits sleeps at once.
#[derive(Debug)]
#[must_use = "the task does not end before `leave`"]
pub struct Companion(AbortHandle);

impl Companion {
    /// Joins the task that is running.
    pub fn join() -> Self {
        let (companion, handle) = Self::pair();
        spawn(companion);
        // Has what is spawned after it polled in a round of its own.
        spawn(ready(()));
        handle
    }

    fn pair() -> (impl Future<Output = ()>, Self) {
        let (companion, handle) = abortable(pending::<()>());
        // It is meant to be aborted.
        (companion.map(|_aborted| ()), Self(handle))
    }

    /// Lets the task end.
    ///
    /// Dropping the handle does not: a caller that cancels the task has all of
    /// its futures dropped while it sleeps, and the executor of wit-bindgen 0.57
    /// panics at a wake-up from there (`WakerState::wake` in
    /// `inter_task_wakeup_disabled.rs`). A component must not trap because it is
    /// cancelled:
    /// <https://github.com/WebAssembly/component-model/blob/main/design/mvp/Concurrency.md#cancellation>.
    pub fn leave(self) {
        self.0.abort();
    }
}

/// Lets the host turn to other tasks. The executor takes the first wish to yield
/// of a future with a companion for an oversight, and polls it again.
pub async fn give_way() {
    yield_async().await;
    yield_async().await;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake, Waker};

    use futures_util::stream::{FuturesUnordered, StreamExt as _};

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wakes {
        fn count(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_cancelled_task_wakes_nobody() {
        let (companion, handle) = Companion::pair();
        let work = async move {
            pending::<()>().await;
            handle.leave();
        };
        // As in wit-bindgen's executor. What was polled last is dropped first.
        let mut task: FuturesUnordered<_> = [companion.boxed_local(), work.boxed_local()]
            .into_iter()
            .collect();
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&wakes));
        assert!(
            task.poll_next_unpin(&mut Context::from_waker(&waker))
                .is_pending()
        );
        let before = wakes.count();
        drop(task);
        assert_eq!(wakes.count(), before);
    }

    #[test]
    fn a_companion_that_leaves_is_ready() {
        let (mut companion, handle) = Companion::pair();
        assert_eq!((&mut companion).now_or_never(), None);
        handle.leave();
        assert_eq!(companion.now_or_never(), Some(()));
    }
}
