//! Who comes in, and how often: authentication with its throttle, and the rates
//! of keys, over all instances where the host has a store.

use std::net::IpAddr;
use std::rc::Rc;

use spin_sdk::time::sleep;

use crate::auth::{Caller, Presented, Rights};
use crate::config::{Counting, Settings};
use crate::counters::Milliseconds;
use crate::key::Key;
use crate::record;
use crate::rejection::Rejection;
use crate::store::{self, Store};
use crate::throttle::Throttle;

/// Lets the sender of a request in.
///
/// # Errors
/// Those of authentication, after a delay for who guesses from this machine; a
/// client that has guessed too often; a key that has called too often.
pub(crate) async fn admit(
    presented: &Presented<'_>,
    settings: &Settings,
    now: Milliseconds,
) -> Result<Caller, Rejection> {
    let guarded = guarded(presented, settings);
    if let Some((throttle, address, store)) = &guarded {
        throttle.check(*address, store.as_ref(), now)?;
    }
    let denied = match settings.auth.authenticate(presented, now / 1000) {
        Ok(caller) => return permit_request(caller, now),
        Err(denied) => denied,
    };
    if let Some((throttle, address, store)) = guarded {
        let delay = throttle.denied(denied, address, store.as_ref(), now);
        store.sweep(now);
        sleep(delay).await;
    }
    Err(denied.into())
}

/// Tells the operator once an instance of limits that hold nobody back.
pub(crate) fn announce(settings: &Settings) {
    if settings.counting == Counting::Asked && store::open().is_none() {
        record::notice("no limit holds, because the host has no key-value store");
    }
}

/// Returns what guards a client's guesses, where it can be told from others and
/// guesses can be counted.
fn guarded<'s>(
    presented: &Presented<'_>,
    settings: &'s Settings,
) -> Option<(&'s Throttle, IpAddr, Rc<Store>)> {
    let throttle = settings.throttle.as_ref()?;
    Some((throttle, presented.sender.address()?, store::open()?))
}

fn permit_request(caller: Caller, now: Milliseconds) -> Result<Caller, Rejection> {
    if let Some((key, store)) = limited(&caller) {
        store.sweep(now);
        key.rate.request(&key.name, store.as_ref(), now)?;
    }
    Ok(caller)
}

/// Takes a permit for a run of a caller.
///
/// # Errors
/// A key that has had its runs of the day.
pub(crate) fn permit_run(caller: &Caller, now: Milliseconds) -> Result<(), Rejection> {
    match limited(caller) {
        Some((key, store)) => key.rate.run(&key.name, store.as_ref(), now),
        None => Ok(()),
    }
}

fn limited(caller: &Caller) -> Option<(&Key, Rc<Store>)> {
    match caller.rights() {
        Rights::Scoped(key) if !key.rate.is_unlimited() => Some((key.as_ref(), store::open()?)),
        Rights::Scoped(_) | Rights::Narrowed(_) | Rights::All => None,
    }
}
