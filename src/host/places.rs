//! The places of runs in progress, which their instance renews.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::SystemTime;

use spin_sdk::time::sleep;

use crate::access::{PlaceLimit, Places, UnixMillis};
use crate::rejection::Rejection;

use super::store;

thread_local! {
    static PLACES: Places = Places::default();
}

/// The places of one run. Dropping them returns them.
pub(crate) struct Place {
    subjects: Vec<String>,
    /// Waits for the next slot. Runs without a limit have none.
    timer: Option<Pin<Box<dyn Future<Output = ()>>>>,
}

impl Place {
    /// Takes a place within each of the limits.
    ///
    /// # Errors
    /// The first limit that is reached.
    pub(crate) fn take(limits: &[PlaceLimit]) -> Result<Self, Rejection> {
        let mut place = Self {
            subjects: Vec::new(),
            timer: None,
        };
        for limit in limits {
            let store = store::open();
            PLACES.with(|places| places.take(limit, store.as_deref(), now()))?;
            place.subjects.push(limit.subject.clone());
        }
        Ok(place)
    }

    /// Does something while the place is renewed.
    pub(crate) async fn while_held<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            self.renew(context);
            work.as_mut().poll(context)
        })
        .await
    }

    /// Renews the places of all runs of this instance in each slot.
    pub(crate) fn renew(&mut self, context: &mut Context<'_>) {
        if self.subjects.is_empty() {
            return;
        }
        let next_slot = || Box::pin(sleep(Places::next_slot(now())));
        let timer = self.timer.get_or_insert_with(|| next_slot());
        while timer.as_mut().poll(context) == Poll::Ready(()) {
            PLACES.with(|places| places.renew(store::open().as_deref(), now()));
            *timer = next_slot();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for subject in &self.subjects {
            PLACES.with(|places| places.leave(subject, store::open().as_deref(), now()));
        }
    }
}

/// Returns the time, in seconds since 1970.
pub(crate) fn seconds() -> u64 {
    now().seconds()
}

fn now() -> UnixMillis {
    UnixMillis::of(SystemTime::now())
}
