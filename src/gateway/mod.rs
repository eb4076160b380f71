//! The order of the checks that a request passes before it is answered.
//!
//! Everything outside of the component comes through [`Effects`], so the order is
//! tested natively.

use std::rc::Rc;
use std::time::Duration;

use http::Method;
use serde::Serialize;
use tidegate_config::Faults;

use crate::access::{Caller, Credentials, Guard, Store, UnixMillis};
use crate::access::{permissions, permit_request, permit_run};
use crate::agents::{self, AgentId};
use crate::config::{Config, Settings};
use crate::error::Error;
use crate::exchange::{Arrival, Exchange};
use crate::inbound::{
    Budget, ClientAddress, Cors, Endpoint, Holding, Origin, Probe, RequestHead, Route, Upload,
};
use crate::openai::model::ModelList;
use crate::rejection::Rejection;
use crate::run::{RequestIds, ValidRun};
use crate::runtime::{Agent, RunError};

/// Everything that the checks need from outside of the component.
pub trait Effects {
    /// The host's store.
    type Store: Store;

    /// Reads the configuration.
    fn config(&self) -> impl Future<Output = Result<Config, Faults>>;

    /// Opens the host's store. Returns `None` without a store.
    fn store(&self) -> Option<Rc<Self::Store>>;

    /// Deletes what has expired in the store, after the response.
    fn sweep(&self, now: UnixMillis);

    /// Returns the host and port that the request was sent to.
    fn authority(&self) -> Option<String>;

    /// Returns the memory budget of the instance for bodies of at most `body_limit` bytes.
    fn budget(&self, body_limit: usize) -> Budget;

    /// Reads the body of the request. It can be read once.
    fn body(
        &mut self,
        upload: Upload,
    ) -> impl Future<Output = Result<(Vec<u8>, Holding), Rejection>>;

    /// Waits.
    fn delay(&self, duration: Duration) -> impl Future<Output = ()>;

    /// Lists the agents of the runtime.
    fn agents(&self) -> impl Future<Output = Result<Vec<Agent>, RunError>>;
}

/// The answer to a request that passed every check.
pub enum Answer {
    /// A JSON document.
    Document(Vec<u8>),
    /// The permission for a CORS preflight.
    Preflight,
    /// A run to start, and the memory of its request.
    Run(Box<ValidRun>, Holding, Rc<Settings>),
}

/// Checks a request and returns its answer, with the exchange that sends it.
pub async fn answer(
    head: &RequestHead,
    effects: &mut impl Effects,
    arrival: Arrival,
    ids: RequestIds,
) -> (Exchange, Result<Answer, Error>) {
    let endpoint = match Route::find(&head.target) {
        Ok(Route::Probe(probe)) => {
            let answer = health(probe, head, effects).await;
            return (arrival.without_settings(), answer);
        }
        Ok(Route::Api(endpoint)) => Ok(endpoint),
        Err(unknown) => Err(unknown),
    };
    let settings = match effects.config().await {
        Ok(Config::On(settings)) => settings,
        Ok(Config::Off) => return (arrival.without_settings(), Err(Rejection::NoRoute.into())),
        Err(faults) => return (arrival.without_settings(), Err(faults.into())),
    };
    let transport_security = settings.transport_security.as_ref();
    let mut exchange = arrival.with_settings(&settings.cors, transport_security, &head.headers);
    let answer = check(head, endpoint, settings, effects, &mut exchange, ids).await;
    (exchange, answer)
}

async fn check(
    head: &RequestHead,
    endpoint: Result<Endpoint, Rejection>,
    settings: Rc<Settings>,
    effects: &mut impl Effects,
    exchange: &mut Exchange,
    ids: RequestIds,
) -> Result<Answer, Error> {
    let address = settings.proxies.client_address(&head.headers)?;
    // A permitted page can read the error of an unknown path only after its preflight.
    if is_preflight(head, exchange) {
        return Ok(Answer::Preflight);
    }
    // As with OpenClaw, a request through an untrusted proxy does not learn which
    // paths exist.
    let endpoint = endpoint?;
    endpoint.check(&head.method)?;
    effects.sweep(exchange.arrived);
    let caller = admit(head, address, &settings, effects, exchange).await?;
    exchange.log.caller(&caller);
    permissions::check_endpoint(&caller, &endpoint)?;
    match endpoint {
        Endpoint::ChatCompletions => {
            let limit = settings.body_limit;
            let holding = effects.budget(limit).begin(&caller.name());
            let upload = Upload::begin(&head.headers, limit, holding)?;
            let (body, holding) = effects.body(upload).await?;
            let run = ValidRun::read(body, &head.headers, &caller, &settings.rules, ids)?;
            permit_run(&caller, || effects.store(), exchange.arrived)?;
            exchange.log.run(&run);
            Ok(Answer::Run(Box::new(run), holding, settings))
        }
        Endpoint::Models => document(&models(&caller, &settings, effects).await?),
        Endpoint::Model(id) => {
            let models = models(&caller, &settings, effects).await?;
            document(agents::find(&models, &id)?)
        }
        Endpoint::NotOffered => Err(Rejection::NotOffered.into()),
    }
}

fn is_preflight(head: &RequestHead, exchange: &Exchange) -> bool {
    head.method == Method::OPTIONS && Cors::is_preflight(&head.headers) && exchange.grant.is_some()
}

/// Authenticates a request, within the limits of failed attempts and of requests.
async fn admit(
    head: &RequestHead,
    address: ClientAddress,
    settings: &Settings,
    effects: &impl Effects,
    exchange: &Exchange,
) -> Result<Caller, Rejection> {
    let now = exchange.arrived;
    let throttle = settings.throttle.as_ref();
    let guard = Guard::new(throttle, address.client(), || effects.store());
    guard.check(now)?;
    let credentials = Credentials {
        headers: &head.headers,
        address,
        origin: Origin::of(head, || effects.authority(), &settings.cors),
    };
    match settings.auth.authenticate(&credentials, now) {
        Ok(caller) => permit(caller, effects, now),
        Err(denied) => {
            effects.delay(guard.denied(denied, now)).await;
            Err(denied.into())
        }
    }
}

fn permit(caller: Caller, effects: &impl Effects, now: UnixMillis) -> Result<Caller, Rejection> {
    permit_request(&caller, || effects.store(), now)?;
    Ok(caller)
}

/// Answers a health check. A disabled endpoint is ready; faulty settings are not.
async fn health(probe: Probe, head: &RequestHead, effects: &impl Effects) -> Result<Answer, Error> {
    probe.check(&head.method)?;
    let state: &[u8] = match probe {
        Probe::Health => br#"{"ok":true,"status":"live"}"#,
        Probe::Readiness => match effects.config().await? {
            Config::On(_) | Config::Off => br#"{"ready":true}"#,
        },
    };
    Ok(Answer::Document(state.to_vec()))
}

/// Lists the caller's agents as models: the configured ones, or the runtime's if the
/// configuration has no agents.
async fn models(
    caller: &Caller,
    settings: &Settings,
    effects: &impl Effects,
) -> Result<ModelList, Error> {
    let agents = permissions::agents(caller, &settings.rules.agents);
    if let Some(known) = agents.known() {
        return Ok(agents::list(agents, known));
    }
    let offered = effects.agents().await?;
    let ids = offered.iter().filter_map(|agent| AgentId::parse(&agent.id));
    Ok(agents::list(agents, &ids.collect::<Vec<_>>()))
}

fn document(value: &impl Serialize) -> Result<Answer, Error> {
    let body = serde_json::to_vec(value).map_err(|_| Error::Internal("encoding a document"))?;
    Ok(Answer::Document(body))
}

#[cfg(test)]
mod tests;
