//! Admission: brute-force protection before authentication, and rate limits of API
//! keys after it.
//!
//! Counting needs a store. Without one, nothing is limited.

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::rejection::{RateLimit, Rejection};

use super::auth::Denied;
use super::caller::{Caller, Identity};
use super::counters::Counters;
use super::key::Key;
use super::places::PlaceLimit;
use super::store::Store;
use super::throttle::Throttle;
use super::time::UnixMillis;

/// The brute-force protection of one request. It is inactive if there is no store.
pub struct Guard<'s, S> {
    client: Option<IpAddr>,
    active: Option<(&'s Throttle, Rc<S>)>,
}

impl<'s, S: Store> Guard<'s, S> {
    /// Makes the protection for a client, whose address may be unknown.
    pub fn new(
        throttle: Option<&'s Throttle>,
        client: Option<IpAddr>,
        open: impl FnOnce() -> Option<Rc<S>>,
    ) -> Self {
        let active = || Some((throttle?, open()?));
        Self {
            client,
            active: active(),
        }
    }

    /// Checks that the client is not locked out.
    ///
    /// # Errors
    /// [`Rejection::Locked`].
    pub fn check(&self, now: UnixMillis) -> Result<(), Rejection> {
        match &self.active {
            Some((throttle, store)) => throttle.check(self.client, Counters(store.as_ref()), now),
            None => Ok(()),
        }
    }

    /// Counts a failed attempt and returns how long to delay its answer.
    pub fn denied(&self, denied: Denied, now: UnixMillis) -> Duration {
        match &self.active {
            Some((throttle, store)) => {
                throttle.denied(denied, self.client, Counters(store.as_ref()), now)
            }
            None => Duration::ZERO,
        }
    }
}

/// Takes a permit for a request of a caller.
///
/// # Errors
/// [`Rejection::RateLimited`] for an API key that exceeds its limit.
pub fn permit_request<S: Store>(
    caller: &Caller,
    open: impl FnOnce() -> Option<Rc<S>>,
    now: UnixMillis,
) -> Result<(), Rejection> {
    match limited(caller, open) {
        Some((key, store)) => key
            .rate
            .permit_request(&key.name, Counters(store.as_ref()), now),
        None => Ok(()),
    }
}

/// Takes a permit for a run of a caller.
///
/// # Errors
/// [`Rejection::RateLimited`] for an API key that exceeds its limit.
pub fn permit_run<S: Store>(
    caller: &Caller,
    open: impl FnOnce() -> Option<Rc<S>>,
    now: UnixMillis,
) -> Result<(), Rejection> {
    match limited(caller, open) {
        Some((key, store)) => key
            .rate
            .permit_run(&key.name, Counters(store.as_ref()), now),
        None => Ok(()),
    }
}

/// Returns the limits of concurrent runs for a run of a caller. `gateway` is the limit of all
/// callers together.
#[must_use]
pub fn place_limits(caller: &Caller, gateway: Option<u32>) -> Vec<PlaceLimit> {
    let of_key = match caller.identity() {
        Identity::Key(key) => key.rate.concurrent_runs,
        Identity::Owner | Identity::Anyone | Identity::User(_) => None,
    };
    let of_key = of_key.map(|runs| PlaceLimit {
        subject: caller.name().into_owned(),
        limit: RateLimit::ConcurrentRuns(runs),
        runs,
    });
    let of_gateway = gateway.map(|runs| PlaceLimit {
        subject: "gateway".to_owned(),
        limit: RateLimit::GatewayRuns(runs),
        runs,
    });
    of_key.into_iter().chain(of_gateway).collect()
}

fn limited<S>(caller: &Caller, open: impl FnOnce() -> Option<Rc<S>>) -> Option<(&Key, Rc<S>)> {
    match caller.identity() {
        Identity::Key(key) if !key.rate.is_unlimited() => Some((key, open()?)),
        Identity::Key(_) | Identity::Owner | Identity::Anyone | Identity::User(_) => None,
    }
}
