//! Admission: brute-force protection before authentication, and rate limits of API
//! keys after it.
//!
//! Counting needs a store. Without one, nothing is limited.

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::rejection::Rejection;

use super::auth::Denied;
use super::caller::{Caller, Identity};
use super::counters::Counters;
use super::key::Key;
use super::throttle::Throttle;
use super::time::UnixMillis;

/// The brute-force protection of one request. It is inactive if the client's
/// address is unknown or there is no store.
pub struct Guard<'s, C>(Option<(&'s Throttle, IpAddr, Rc<C>)>);

impl<'s, C: Counters> Guard<'s, C> {
    /// Makes the protection for a client.
    pub fn new(
        throttle: Option<&'s Throttle>,
        client: Option<IpAddr>,
        open: impl FnOnce() -> Option<Rc<C>>,
    ) -> Self {
        let active = || Some((throttle?, client?, open()?));
        Self(active())
    }

    /// Checks that the client is not locked out.
    ///
    /// # Errors
    /// [`Rejection::Locked`].
    pub fn check(&self, now: UnixMillis) -> Result<(), Rejection> {
        match &self.0 {
            Some((throttle, client, counters)) => throttle.check(*client, counters.as_ref(), now),
            None => Ok(()),
        }
    }

    /// Counts a failed attempt and returns how long to delay its answer.
    pub fn denied(&self, denied: Denied, now: UnixMillis) -> Duration {
        let Some((throttle, client, counters)) = &self.0 else {
            return Duration::ZERO;
        };
        let delay = throttle.denied(denied, *client, counters.as_ref(), now);
        counters.delete_expired(now);
        delay
    }
}

/// Takes a permit for a request of a caller.
///
/// # Errors
/// [`Rejection::RateLimited`] for an API key that exceeds its limit.
pub fn permit_request<C: Counters>(
    caller: &Caller,
    open: impl FnOnce() -> Option<Rc<C>>,
    now: UnixMillis,
) -> Result<(), Rejection> {
    let Some((key, counters)) = limited(caller, open) else {
        return Ok(());
    };
    counters.delete_expired(now);
    key.rate.permit_request(&key.name, counters.as_ref(), now)
}

/// Takes a permit for a run of a caller.
///
/// # Errors
/// [`Rejection::RateLimited`] for an API key that exceeds its limit.
pub fn permit_run<C: Counters>(
    caller: &Caller,
    open: impl FnOnce() -> Option<Rc<C>>,
    now: UnixMillis,
) -> Result<(), Rejection> {
    match limited(caller, open) {
        Some((key, counters)) => key.rate.permit_run(&key.name, counters.as_ref(), now),
        None => Ok(()),
    }
}

fn limited<C>(caller: &Caller, open: impl FnOnce() -> Option<Rc<C>>) -> Option<(&Key, Rc<C>)> {
    match caller.identity() {
        Identity::Key(key) if !key.rate.is_unlimited() => Some((key, open()?)),
        Identity::Key(_) | Identity::Owner | Identity::Anyone | Identity::User(_) => None,
    }
}
