//! Responses: bodies with the headers that each kind has.

use http::StatusCode;
use spin_sdk::wasip3::http::types::Response;

use crate::error::{Answer, Error, Retry};
use crate::exchange::{ErrorForm, Exchange};
use crate::headers::Headers;
use crate::openai::error::ErrorDocument;
use crate::sse;
use crate::wire::{self, Body, Field, Outgoing};

const JSON: &str = "application/json; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// The security headers that the reference sends with every response.
const SECURITY: [(&str, &str); 3] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    (
        "permissions-policy",
        "camera=(), microphone=(self), geolocation=()",
    ),
];

/// Answers with a JSON document.
pub(crate) fn json(status: StatusCode, body: Vec<u8>, exchange: Exchange) -> Outgoing {
    let mut headers = common(&exchange);
    headers.push(field("content-type", JSON));
    finish(status, headers, body, exchange)
}

/// Answers a browser's question for permission, which the exchange has.
pub(crate) fn preflight(asked: &Headers, exchange: Exchange) -> Outgoing {
    let mut headers = common(&exchange);
    let granted = exchange
        .grant
        .iter()
        .flat_map(|grant| grant.preflight_headers(asked));
    headers.extend(granted.map(|(name, value)| field(name, value)));
    finish(StatusCode::NO_CONTENT, headers, Vec::new(), exchange)
}

/// Answers with an error.
pub(crate) fn failure(error: &Error, mut exchange: Exchange) -> Outgoing {
    exchange.record.failure(error);
    let answer = error.answer();
    let mut headers = common(&exchange);
    headers.extend(error_headers(&answer));
    let rejection = match error {
        Error::Rejected(rejection) => Some(rejection),
        Error::Run(_) | Error::Misconfigured(_) | Error::Internal(_) => None,
    };
    let (media_type, body) = match exchange.error_form(rejection) {
        ErrorForm::Text => (TEXT, answer.error.message.into_bytes()),
        ErrorForm::Object => {
            let document = ErrorDocument {
                error: answer.error,
            };
            (JSON, serde_json::to_vec(&document).unwrap_or_default())
        }
    };
    headers.push(field("content-type", media_type));
    finish(answer.status, headers, body, exchange)
}

/// Begins an answer of server-sent events.
pub(crate) fn stream(exchange: &mut Exchange) -> (Response, Body) {
    let mut headers = common(exchange);
    headers.push(field("content-type", sse::MEDIA_TYPE));
    headers.push(field("cache-control", "no-cache, no-transform"));
    // Asks nginx and its kin not to collect the stream.
    headers.push(field("x-accel-buffering", "no"));
    exchange.record.status(StatusCode::OK);
    wire::open(StatusCode::OK, &headers)
}

fn common(exchange: &Exchange) -> Vec<Field> {
    let security = SECURITY.iter().map(|(name, value)| field(name, value));
    let id = field("x-request-id", exchange.record.request());
    let granted = exchange.grant.iter().flat_map(|grant| grant.headers());
    let granted = granted.map(|(name, value)| field(name, value));
    let transport = exchange.transport_security.iter();
    let transport = transport.map(|value| field("strict-transport-security", value));
    security
        .chain(transport)
        .chain([id])
        .chain(granted)
        .collect()
}

fn error_headers(answer: &Answer) -> impl Iterator<Item = Field> {
    let allow = answer.allow.map(|methods| field("allow", methods));
    let after = answer
        .retry_after
        .map(|seconds| field("retry-after", &seconds.to_string()));
    let never = (answer.retry == Retry::Never).then(|| field("x-should-retry", "false"));
    let unauthorized = answer.status == StatusCode::UNAUTHORIZED;
    let challenge = unauthorized.then(|| field("www-authenticate", "Bearer"));
    [allow, after, never, challenge].into_iter().flatten()
}

fn finish(
    status: StatusCode,
    mut headers: Vec<Field>,
    body: Vec<u8>,
    mut exchange: Exchange,
) -> Outgoing {
    // RFC 9110, section 8.6: an answer without content has no length either.
    if status != StatusCode::NO_CONTENT {
        headers.push(field("content-length", &body.len().to_string()));
    }
    exchange.record.status(status);
    exchange.record.write();
    wire::whole(status, &headers, body)
}

fn field(name: &str, value: &str) -> Field {
    (name.to_owned(), value.as_bytes().to_vec())
}
