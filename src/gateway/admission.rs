//! From a request's credential to its caller.

use crate::access::{Caller, Credentials, Guard, UnixMillis, permit_request};
use crate::config::Settings;
use crate::inbound::{ClientAddress, Origin, RequestHead};
use crate::rejection::Rejection;

use super::effects::Effects;

/// Authenticates a request, within the limits of failed attempts and of requests.
pub(super) async fn admit(
    head: &RequestHead,
    address: ClientAddress,
    settings: &Settings,
    effects: &impl Effects,
    now: UnixMillis,
) -> Result<Caller, Rejection> {
    let caller = authenticate(head, address, settings, effects, now).await?;
    permit_request(&caller, || effects.store(), now)?;
    Ok(caller)
}

/// Authenticates a request, within the limit of failed attempts.
pub(super) async fn authenticate(
    head: &RequestHead,
    address: ClientAddress,
    settings: &Settings,
    effects: &impl Effects,
    now: UnixMillis,
) -> Result<Caller, Rejection> {
    let throttle = settings.throttle.as_ref();
    let guard = Guard::new(throttle, address.client(), || effects.store());
    guard.check(now)?;
    let credentials = Credentials {
        headers: &head.headers,
        address,
        origin: Origin::of(head, || effects.authority(), &settings.cors),
    };
    match settings.auth.authenticate(&credentials, now) {
        Ok(caller) => Ok(caller),
        Err(denied) => {
            effects.delay(guard.denied(denied, now)).await;
            Err(denied.into())
        }
    }
}
