//! A value that one thread changes and others wait for.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// A value behind a lock, with a condition variable that signals every change.
#[derive(Default)]
pub(crate) struct Watched<T> {
    value: Mutex<T>,
    changed: Condvar,
}

impl<T> Watched<T> {
    /// Changes the value and wakes every waiting thread.
    pub(crate) fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(&mut self.value.lock().expect("the value"));
        self.changed.notify_all();
        result
    }

    /// Reads the current value.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.value.lock().expect("the value"))
    }

    /// Waits until `look` returns a value. Returns `None` after `limit`.
    pub(crate) fn wait<R>(
        &self,
        limit: Duration,
        mut look: impl FnMut(&T) -> Option<R>,
    ) -> Option<R> {
        let mut found = None;
        let value = self.value.lock().expect("the value");
        let waited = self.changed.wait_timeout_while(value, limit, |value| {
            found = look(value);
            found.is_none()
        });
        drop(waited.expect("the value"));
        found
    }
}
