//! Health checks.

use serde::Serialize;

use crate::access::{AUTHORIZATION, Identity, UnixMillis};
use crate::config::{Config, Settings};
use crate::error::Error;
use crate::inbound::{Probe, RequestHead};

use super::admission::authenticate;
use super::effects::Effects;

/// The document of `/healthz`.
#[derive(Serialize)]
struct Health {
    ok: bool,
    status: &'static str,
}

impl Health {
    const LIVE: Self = Self {
        ok: true,
        status: "live",
    };
}

/// The document of `/readyz`.
#[derive(Serialize)]
struct Readiness {
    ready: bool,
    /// The guards that do not hold, for the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    inactive_guards: Option<Vec<&'static str>>,
}

impl Default for Readiness {
    fn default() -> Self {
        Self {
            ready: true,
            inactive_guards: None,
        }
    }
}

/// Answers a health check. A disabled endpoint is ready; faulty settings are not.
pub(super) async fn answer(
    probe: Probe,
    head: &RequestHead,
    effects: &impl Effects,
    now: UnixMillis,
) -> Result<Vec<u8>, Error> {
    probe.check(&head.method)?;
    let settings = match probe {
        Probe::Health => return encoded(&Health::LIVE),
        Probe::Readiness => match effects.config().await? {
            Config::Off => return encoded(&Readiness::default()),
            Config::On(settings) => settings,
        },
    };
    let is_owner = asks_as_owner(head, &settings, effects, now).await;
    let guards = || settings.inactive_guards(effects.store().is_some());
    encoded(&Readiness {
        ready: true,
        inactive_guards: is_owner.then(guards),
    })
}

/// Returns whether a health check has the owner's credential. Everybody else, also with a
/// wrong credential, learns only whether the gateway is ready.
async fn asks_as_owner(
    head: &RequestHead,
    settings: &Settings,
    effects: &impl Effects,
    now: UnixMillis,
) -> bool {
    if head.headers.first(AUTHORIZATION).is_none() {
        return false;
    }
    let Ok(address) = settings.proxies.client_address(&head.headers) else {
        return false;
    };
    let caller = authenticate(head, address, settings, effects, now).await;
    caller.is_ok_and(|caller| *caller.identity() == Identity::Owner)
}

fn encoded(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|_| Error::Internal("encoding a health check"))
}
