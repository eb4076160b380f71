//! The component: the exported handler, and the way of a request through the
//! other modules.

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::FutureExt as _;
use http::{Method, StatusCode};
use spin_sdk::wasip3;
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};
use spin_sdk::wasip3::spawn;
use tidegate_task::{Companion, give_way};

use crate::access;
use crate::admission;
use crate::agent::{AgentId, Agents};
use crate::auth::{Caller, Presented};
use crate::body;
use crate::config::{Config, Settings, WELL_KNOWN_VARIABLES};
use crate::cors::{Cors, Page};
use crate::counters::Milliseconds;
use crate::delivery;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::headers::Headers;
use crate::models;
use crate::openai::model::ModelList;
use crate::openai::request::ChatCompletionRequest;
use crate::rejection::Rejection;
use crate::respond;
use crate::route::{Probe, Route};
use crate::runtime;
use crate::validate::{RequestIds, ValidRun, validate};
use crate::wire::{self, Incoming, Outgoing};

/// How large the body of a request may be, in bytes: 20 MiB.
const BODY_LIMIT: usize = 20 * 1024 * 1024;

struct Gateway;

wasip3::http::service::export!(Gateway with_types_in wasip3);

impl wasip3::exports::http::handler::Guest for Gateway {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let companion = Companion::join();
        let incoming = Incoming::receive(request);
        let [request, run, session] = wire::random_ids();
        let ids = RequestIds { run, session };
        let mut exchange = Exchange::begin(request, now(), &incoming.headers);
        let outgoing = match answer(incoming, ids, &mut exchange).await {
            Ok(Reply::Document(body)) => respond::json(StatusCode::OK, body, exchange),
            Ok(Reply::Preflight(asked)) => respond::preflight(&asked, exchange),
            Ok(Reply::Run(run, settings)) => delivery::deliver(*run, &settings, exchange).await,
            Err(error) => respond::failure(&error, exchange),
        };
        // A caller that cancels this call drops the response first, and then the
        // sending of its body: a body that is dropped while someone may still read
        // it makes the host trap.
        let Outgoing {
            mut sending,
            response,
        } = outgoing;
        // The host writes the head when this function returns, and then lets run
        // whatever is ready in this instance before it asks for the body. Without
        // TCP_NODELAY (Spin) a body that comes later waits 40 ms for the client
        // to acknowledge the head. So the first bytes are offered before, and all
        // else that is ready has its turn before: a run that ends, above all.
        let sent = sending.as_mut().now_or_never();
        give_way().await;
        spawn(async move {
            if sent.is_none() {
                sending.await;
            }
            companion.leave();
        });
        Ok(response)
    }
}

/// What a good request is answered with.
enum Reply {
    Document(Vec<u8>),
    Preflight(Headers),
    Run(Box<ValidRun>, Rc<Settings>),
}

async fn answer(
    incoming: Incoming,
    ids: RequestIds,
    exchange: &mut Exchange,
) -> Result<Reply, Error> {
    let route = Route::find(&incoming.target);
    if let Ok(route @ Route::Probe(probe)) = &route {
        route.check(&incoming.method)?;
        return state(*probe).await;
    }
    let settings = settings().await?;
    exchange
        .transport_security
        .clone_from(&settings.transport_security);
    let sender = settings.proxies.sender(&incoming.headers)?;
    // As in the reference: who comes through an unknown proxy learns no paths.
    let route = route?;
    exchange.grant = settings.cors.grant(&incoming.headers);
    let asks = incoming.method == Method::OPTIONS && Cors::is_preflight(&incoming.headers);
    if asks && exchange.grant.is_some() {
        return Ok(Reply::Preflight(incoming.headers));
    }
    route.check(&incoming.method)?;
    let presented = Presented {
        headers: &incoming.headers,
        sender,
        page: Page::of(
            &incoming.headers,
            || incoming.authority(),
            exchange.grant.as_ref(),
        ),
    };
    let caller = admission::admit(&presented, &settings, exchange.arrived).await?;
    exchange.record.caller(&caller);
    access::check_route(&caller, &route)?;
    let agents = access::agents(&caller, &settings.agents);
    match route {
        Route::ChatCompletions => {
            let run = run(incoming, &caller, &settings, ids).await?;
            admission::permit_run(&caller, exchange.arrived)?;
            exchange.record.run(&run);
            Ok(Reply::Run(Box::new(run), settings))
        }
        Route::Models => document(&list(agents).await?),
        Route::Model(id) => document(models::find(&list(agents).await?, &id)?),
        Route::NotOffered | Route::Probe(_) => Err(Rejection::NotOffered.into()),
    }
}

/// Answers a probe: the component is alive, and ready to serve unless its
/// configuration is at fault.
async fn state(probe: Probe) -> Result<Reply, Error> {
    let state: &[u8] = match probe {
        Probe::Health => br#"{"ok":true,"status":"live"}"#,
        Probe::Readiness => match settings().await {
            Err(fault @ Error::Misconfigured(_)) => return Err(fault),
            // An endpoint that is off is off as it should be.
            Ok(_) | Err(_) => br#"{"ready":true}"#,
        },
    };
    Ok(Reply::Document(state.to_vec()))
}

/// Reads the run that a request asks for.
async fn run(
    incoming: Incoming,
    caller: &Caller,
    settings: &Settings,
    ids: RequestIds,
) -> Result<ValidRun, Rejection> {
    let (headers, bytes) = incoming.read(BODY_LIMIT).await?;
    let text = body::text(bytes);
    body::check_values(&text)?;
    let request = ChatCompletionRequest::parse(&text)
        .map_err(|error| Rejection::NotJson(error.to_string()))?;
    validate(request, &headers, caller, settings, ids)
}

/// Lists agents as models: the configured ones, or those of the runtime if
/// none is configured.
async fn list(agents: &Agents) -> Result<ModelList, Error> {
    if let Some(known) = agents.known() {
        return Ok(ModelList::of(agents, known));
    }
    let offered = runtime::agents().await?;
    let names: Vec<_> = offered
        .iter()
        .filter_map(|agent| AgentId::parse(&agent.id))
        .collect();
    Ok(ModelList::of(agents, &names))
}

fn document(value: &impl serde::Serialize) -> Result<Reply, Error> {
    let body = serde_json::to_vec(value).map_err(|_| Error::Internal("encoding an answer"))?;
    Ok(Reply::Document(body))
}

/// Returns the settings, which an instance reads once.
///
/// An endpoint that is off has no routes. A faulty configuration is read again
/// by the next request, so that it can be mended under way.
async fn settings() -> Result<Rc<Settings>, Error> {
    thread_local! {
        static SETTINGS: OnceCell<Rc<Settings>> = const { OnceCell::new() };
    }
    if let Some(settings) = SETTINGS.with(|cell| cell.get().cloned()) {
        return Ok(settings);
    }
    match tidegate_config::load(&WELL_KNOWN_VARIABLES, Config::read).await? {
        Config::Off => Err(Rejection::NoRoute.into()),
        Config::On(settings) => {
            admission::announce(&settings);
            Ok(SETTINGS.with(|cell| Rc::clone(cell.get_or_init(|| Rc::from(settings)))))
        }
    }
}

fn now() -> Milliseconds {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
    let elapsed = elapsed.map_or(0, |elapsed| elapsed.as_millis());
    Milliseconds::try_from(elapsed).unwrap_or(Milliseconds::MAX)
}
