//! The order of the checks that a request passes before it is answered.
//!
//! Everything outside of the component comes through [`Effects`], so the order is
//! tested natively.
//!
//! ```text
//! effects    what the checks need from outside
//! admission  a credential  -> Caller
//! health     a probe       -> a document
//! embeddings texts         -> a document
//! responses  an id         -> a stored response
//! ```

mod admission;
mod effects;
mod embeddings;
mod health;
mod responses;

use std::rc::Rc;

use http::Method;
use serde::Serialize;

use crate::access::{Caller, permissions, permit_run, place_limits};
use crate::agents::{self, AgentId};
use crate::config::{Config, Settings};
use crate::error::Error;
use crate::exchange::{Arrival, Exchange};
use crate::inbound::{Api, Cors, Endpoint, Holding, RequestHead, Route, Upload};
use crate::openai::model::ModelList;
use crate::rejection::Rejection;
use crate::run::{RequestIds, ValidRun};
use crate::run_log::LogPlan;

use admission::admit;
pub use effects::Effects;
pub use responses::{Action, StoredRequest};

/// The answer to a request that passed every check.
pub enum Answer<P> {
    /// A JSON document.
    Document(Vec<u8>),
    /// The JSON document of embeddings, with its part of the memory budget.
    Embeddings(Vec<u8>, Holding),
    /// The permission for a CORS preflight.
    Preflight,
    /// What a client wants of a stored response.
    Stored(Box<StoredRequest<P>>, Rc<Settings>),
    /// A run to start.
    Run(Box<AdmittedRun<P>>, Rc<Settings>),
}

/// A valid run with what it takes until it ends.
pub struct AdmittedRun<P> {
    /// The run.
    pub run: ValidRun,
    /// The memory of its request.
    pub request: Holding,
    /// The memory of its reply, if that is whole.
    pub reply: Holding,
    /// Its place among the concurrent runs.
    pub place: P,
    /// Its log, if it has one.
    pub log: Option<LogPlan>,
}

/// Checks a request and returns its answer, with the exchange that sends it.
pub async fn answer<E: Effects>(
    head: &RequestHead,
    effects: &mut E,
    arrival: Arrival,
    ids: RequestIds,
) -> (Exchange, Result<Answer<E::Place>, Error>) {
    let endpoint = match Route::find(&head.target) {
        Ok(Route::Probe(probe)) => {
            let answer = health::answer(probe, head, effects, arrival.time()).await;
            return (arrival.without_settings(), answer.map(Answer::Document));
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
    let write_timeout = settings.stream.write_timeout;
    let mut exchange = arrival.with_settings(
        &settings.cors,
        transport_security,
        write_timeout,
        &head.headers,
    );
    let answer = check(head, endpoint, settings, effects, &mut exchange, ids).await;
    (exchange, answer)
}

async fn check<E: Effects>(
    head: &RequestHead,
    endpoint: Result<Endpoint, Rejection>,
    settings: Rc<Settings>,
    effects: &mut E,
    exchange: &mut Exchange,
    ids: RequestIds,
) -> Result<Answer<E::Place>, Error> {
    let address = settings.proxies.client_address(&head.headers)?;
    // A permitted page can read the error of an unknown path only after its preflight.
    if is_preflight(head, exchange) {
        return Ok(Answer::Preflight);
    }
    // As with OpenClaw, a request through an untrusted proxy does not learn which
    // paths exist.
    let endpoint = endpoint?;
    settings.endpoints.check(&endpoint)?;
    endpoint.check(head)?;
    effects.sweep(exchange.arrived);
    let caller = admit(head, address, &settings, effects, exchange.arrived).await?;
    exchange.log.caller(&caller);
    permissions::check_endpoint(&caller, &endpoint)?;
    match endpoint {
        Endpoint::Run(api) => admit_run(api, head, &caller, settings, effects, exchange, ids).await,
        Endpoint::Embeddings => {
            embeddings::answer(&head.headers, &caller, &settings, effects, exchange).await
        }
        Endpoint::Response(_) | Endpoint::Cancel(_) => {
            let memory = effects.budget(settings.body_limit).begin(&caller.name());
            let place = effects.place(&place_limits(&caller, settings.concurrent_runs))?;
            let request = StoredRequest::read(&endpoint, head, &caller, &settings, memory, place)?;
            Ok(Answer::Stored(Box::new(request), settings))
        }
        Endpoint::Models => document(&models(&caller, &settings, effects).await?),
        Endpoint::Model(id) => {
            let models = models(&caller, &settings, effects).await?;
            document(agents::find(&models, &id)?)
        }
    }
}

/// Reads a request for a run, with all that the run takes until it ends.
async fn admit_run<E: Effects>(
    api: Api,
    head: &RequestHead,
    caller: &Caller,
    settings: Rc<Settings>,
    effects: &mut E,
    exchange: &mut Exchange,
    ids: RequestIds,
) -> Result<Answer<E::Place>, Error> {
    // An upload takes as much as a run, so it needs a place, too.
    let mut place = effects.place(&place_limits(caller, settings.concurrent_runs))?;
    let limit = settings.body_limit;
    let (budget, name) = (effects.budget(limit), caller.name());
    let upload = Upload::begin(&head.headers, limit, budget.begin(&name))?;
    let (body, request) = effects.body(upload, &mut place).await?;
    let run = ValidRun::read(api, body, &head.headers, caller, &settings.rules, ids)?;
    let secret = settings.rules.sessions.secret.as_ref();
    let log = LogPlan::of(&run, ids.run, caller, &settings.runs, secret, || {
        effects.store().is_some()
    })?;
    permit_run(caller, || effects.store(), exchange.arrived)?;
    exchange.log.run(&run);
    let admitted = AdmittedRun {
        run,
        request,
        reply: budget.begin(&name),
        place,
        log,
    };
    Ok(Answer::Run(Box::new(admitted), settings))
}

fn is_preflight(head: &RequestHead, exchange: &Exchange) -> bool {
    head.method == Method::OPTIONS && Cors::is_preflight(&head.headers) && exchange.grant.is_some()
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
    // The runtime's list takes as much as a run, so it needs a place, too.
    let mut place = effects.place(&place_limits(caller, settings.concurrent_runs))?;
    let offered = effects.agents(caller.upstream(), &mut place).await?;
    let ids = offered.iter().filter_map(|agent| AgentId::parse(&agent.id));
    Ok(agents::list(agents, &ids.collect::<Vec<_>>()))
}

fn document<P>(value: &impl Serialize) -> Result<Answer<P>, Error> {
    let body = serde_json::to_vec(value).map_err(|_| Error::Internal("encoding a document"))?;
    Ok(Answer::Document(body))
}

#[cfg(test)]
mod tests;
