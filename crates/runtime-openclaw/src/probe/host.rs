//! Probes over the host's HTTP client.

use spin_sdk::wasip3::http::types::ErrorCode;
use tidegate_agent::Hold;

use crate::backend::Backend;
use crate::client::{self, Response, Target};
use crate::models::{LIST_LIMIT, parse_agents};
use crate::redactor::Redactor;
use crate::request::Request;
use crate::settings::Settings;
use crate::transport::error_before_response;
use crate::types::RunError;

use super::{Probe, fault};

/// Asks a backend for its models, and for a run without messages, which does not begin.
pub async fn probe(backend: &Backend, settings: &Settings) -> Probe {
    let mut listing = Request::list_models();
    let list = match send(&mut listing, backend, settings).await {
        Ok(response) => response,
        Err(probe) => return probe,
    };
    if let Some(fault) = fault(list.head.status) {
        return fault;
    }
    let list = list.body.read_up_to(LIST_LIMIT).await.unwrap_or_default();
    let Ok(agents) = parse_agents(&list, &settings.models) else {
        return Probe::NoEndpoint;
    };
    match send(&mut Request::without_messages(), backend, settings).await {
        Err(probe) => probe,
        Ok(response) => fault(response.head.status)
            .unwrap_or_else(|| Probe::Ready(agents.into_iter().map(|agent| agent.id).collect())),
    }
}

async fn send(
    request: &mut Request,
    backend: &Backend,
    settings: &Settings,
) -> Result<Response, Probe> {
    request.authorize(backend.token.as_ref());
    let body = request.body.take();
    let target = Target {
        endpoint: &backend.endpoint,
        options: &client::options(settings),
        settings,
        has_next: false,
    };
    let response = client::send(request, body, Hold::default(), target).await;
    response.map_err(|code| Probe::Unreachable(reason(&code, settings)))
}

fn reason(code: &ErrorCode, settings: &Settings) -> String {
    let redactor = Redactor::new(&settings.backends);
    match error_before_response(code, &redactor) {
        RunError::Unreachable(why) | RunError::TimedOut(why) | RunError::Failed(why) => why,
        _ => "the connection failed".to_owned(),
    }
}
