//! When a task of the component model gives control back to the host.
//!
//! The executor of wit-bindgen is a `FuturesUnordered`, which yields after it has polled
//! each of its futures once. Therefore a task with a single future, which is the usual
//! case, requests another turn from the host before every wait, and does nothing in it. A
//! turn costs more than sending a small chunk.
//!
//! This module depends on that executor, but for speed only. With another executor,
//! [`KeepAwake`] is a future that is never ready, and [`yield_to_host`] yields twice.
//! `FuturesUnordered` yields since <https://github.com/rust-lang/futures-rs/pull/2551>.

use futures_util::future::{AbortHandle, FutureExt as _, abortable, pending, ready};
use spin_sdk::wasip3::spawn;
use spin_sdk::wit_bindgen::yield_async;

/// A second future in a task, which is not ready before [`Self::leave`]. With it, a task
/// that waits gives control back immediately.
#[derive(Debug)]
#[must_use = "the task does not end before `leave`"]
pub struct KeepAwake(AbortHandle);

impl KeepAwake {
    /// Adds the future to the current task.
    pub fn join() -> Self {
        let (keep_awake, handle) = Self::pair();
        spawn(keep_awake);
        // The executor then polls later futures in a separate round.
        spawn(ready(()));
        handle
    }

    fn pair() -> (impl Future<Output = ()>, Self) {
        let (keep_awake, handle) = abortable(pending::<()>());
        // `leave` aborts it, which is its normal end.
        (keep_awake.map(|_aborted| ()), Self(handle))
    }

    /// Lets the task end.
    ///
    /// Dropping the handle does not: if a caller cancels the task, all its futures are
    /// dropped while it waits, and the executor of wit-bindgen 0.57 panics at a wake-up
    /// during that (`WakerState::wake` in `inter_task_wakeup_disabled.rs`). A component
    /// must not trap because of a cancellation:
    /// <https://github.com/WebAssembly/component-model/blob/main/design/mvp/Concurrency.md#cancellation>.
    pub fn leave(self) {
        self.0.abort();
    }
}

/// Lets the host run other tasks. In a task with [`KeepAwake`], the executor polls again
/// after the first yield, so this yields twice.
pub async fn yield_to_host() {
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
    fn a_cancelled_task_wakes_no_task() {
        let (keep_awake, handle) = KeepAwake::pair();
        let work = async move {
            pending::<()>().await;
            handle.leave();
        };
        // As in wit-bindgen's executor, the future that was polled last is dropped first.
        let mut task: FuturesUnordered<_> = [keep_awake.boxed_local(), work.boxed_local()]
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
    fn keep_awake_is_ready_after_leave() {
        let (mut keep_awake, handle) = KeepAwake::pair();
        assert_eq!((&mut keep_awake).now_or_never(), None);
        handle.leave();
        assert_eq!(keep_awake.now_or_never(), Some(()));
    }
}
