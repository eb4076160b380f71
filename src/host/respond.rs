//! Responses: bodies with their headers.

use http::StatusCode;
use spin_sdk::wasip3::http::types::Response;

use crate::access_log::AccessLog;
use crate::error::{ErrorResponse, Retry};
use crate::exchange::Exchange;
use crate::inbound::{ACCEPTED_CODINGS, Headers};
use crate::openai::error::ErrorDocument;
use crate::reply::sse;

use super::outgoing::{self, Body, Field, Outgoing};

const JSON: &str = "application/json; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// The security headers that OpenClaw sends with every response.
const SECURITY: [(&str, &str); 3] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    (
        "permissions-policy",
        "camera=(), microphone=(self), geolocation=()",
    ),
];

/// Responds with a JSON document.
pub(crate) fn json(status: StatusCode, body: Vec<u8>, exchange: Exchange) -> Outgoing {
    let mut headers = common(&exchange);
    headers.push(field("content-type", JSON));
    finish(status, headers, body, exchange)
}

/// Responds with a JSON document for a run that goes on. The caller writes the access log when
/// the run has ended.
pub(crate) fn begun(body: Vec<u8>, mut exchange: Exchange) -> (Outgoing, AccessLog) {
    let mut headers = common(&exchange);
    headers.push(field("content-type", JSON));
    headers.push(field("content-length", &body.len().to_string()));
    exchange.log.status(StatusCode::OK);
    let outgoing = outgoing::whole(StatusCode::OK, &headers, body, exchange.write_timeout);
    (outgoing, exchange.log)
}

/// Responds to a CORS preflight from a granted origin.
pub(crate) fn preflight(request: &Headers, exchange: Exchange) -> Outgoing {
    let mut headers = common(&exchange);
    let granted = exchange
        .grant
        .iter()
        .flat_map(|grant| grant.preflight_headers(request));
    headers.extend(granted.map(|(name, value)| field(name, value)));
    finish(StatusCode::NO_CONTENT, headers, Vec::new(), exchange)
}

/// Responds with an error.
pub(crate) fn error(response: ErrorResponse, mut exchange: Exchange) -> Outgoing {
    exchange.log.error(&response);
    let mut headers = common(&exchange);
    headers.extend(error_headers(&response));
    let (media_type, body) = if exchange.wants_text(&response) {
        (TEXT, response.error.message.into_bytes())
    } else {
        let error = response.error;
        let document = serde_json::to_vec(&ErrorDocument { error });
        (JSON, document.unwrap_or_default())
    };
    headers.push(field("content-type", media_type));
    finish(response.status, headers, body, exchange)
}

/// Begins a response of server-sent events.
pub(crate) fn stream(exchange: &mut Exchange) -> (Response, Body) {
    let mut headers = common(exchange);
    headers.push(field("content-type", sse::MEDIA_TYPE));
    headers.push(field("cache-control", "no-cache, no-transform"));
    // nginx and similar proxies must not buffer the stream.
    headers.push(field("x-accel-buffering", "no"));
    exchange.log.status(StatusCode::OK);
    outgoing::open(StatusCode::OK, &headers)
}

fn common(exchange: &Exchange) -> Vec<Field> {
    let security = SECURITY.iter().map(|(name, value)| field(name, value));
    let id = field("x-request-id", exchange.log.request());
    let grants = exchange.grant.iter().flat_map(|grant| grant.headers());
    let granted = grants.map(|(name, value)| field(name, value));
    let values = exchange.transport_security.iter();
    let transport = values.map(|value| field("strict-transport-security", value));
    security
        .chain(transport)
        .chain([id])
        .chain(granted)
        .collect()
}

fn error_headers(response: &ErrorResponse) -> impl Iterator<Item = Field> {
    let allow = response.allow.map(|methods| field("allow", methods));
    let after = response
        .retry_after
        .map(|seconds| field("retry-after", &seconds.to_string()));
    let never = (response.retry == Retry::Never).then(|| field("x-should-retry", "false"));
    let unauthorized = response.status == StatusCode::UNAUTHORIZED;
    let challenge = unauthorized.then(|| field("www-authenticate", "Bearer"));
    // RFC 9110, section 15.5.16.
    let unsupported = response.status == StatusCode::UNSUPPORTED_MEDIA_TYPE;
    let codings = unsupported.then(|| field("accept-encoding", ACCEPTED_CODINGS));
    [allow, after, never, challenge, codings]
        .into_iter()
        .flatten()
}

fn finish(
    status: StatusCode,
    mut headers: Vec<Field>,
    body: Vec<u8>,
    mut exchange: Exchange,
) -> Outgoing {
    // RFC 9110, section 8.6: a 204 response has no `Content-Length`.
    if status != StatusCode::NO_CONTENT {
        headers.push(field("content-length", &body.len().to_string()));
    }
    exchange.log.status(status);
    exchange.log.write();
    outgoing::whole(status, &headers, body, exchange.write_timeout)
}

fn field(name: &str, value: &str) -> Field {
    (name.to_owned(), value.as_bytes().to_vec())
}
