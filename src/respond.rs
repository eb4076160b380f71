//! Responses: bodies with the headers that each kind has.

use http::StatusCode;
use spin_sdk::wasip3::http::types::Response;

use crate::error::{Answer, Error, Retry};
use crate::openai::error::ErrorDocument;
use crate::record::Record;
use crate::sse;
use crate::wire::{self, Body, Field};

const JSON: &str = "application/json; charset=utf-8";

/// The security headers that the reference sends with every response.
const SECURITY: [(&str, &str); 3] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    (
        "permissions-policy",
        "camera=(), microphone=(self), geolocation=()",
    ),
];

/// Answers with a JSON document and ends the record.
pub(crate) fn json(status: StatusCode, body: Vec<u8>, record: Record) -> Response {
    let mut headers = common(&record);
    headers.push(field("content-type", JSON));
    finish(status, headers, body, record)
}

/// Answers with an error and ends the record.
pub(crate) fn failure(error: &Error, mut record: Record) -> Response {
    record.failure(error);
    let answer = error.answer();
    let mut headers = common(&record);
    headers.push(field("content-type", JSON));
    headers.extend(error_headers(&answer));
    let document = ErrorDocument {
        error: answer.error,
    };
    let body = serde_json::to_vec(&document).unwrap_or_default();
    finish(answer.status, headers, body, record)
}

/// Begins an answer of server-sent events.
pub(crate) fn stream(record: &mut Record) -> (Response, Body) {
    let mut headers = common(record);
    headers.push(field("content-type", sse::MEDIA_TYPE));
    headers.push(field("cache-control", "no-cache, no-transform"));
    // Asks nginx and its kin not to collect the stream.
    headers.push(field("x-accel-buffering", "no"));
    record.status(StatusCode::OK);
    wire::open(StatusCode::OK, &headers)
}

fn common(record: &Record) -> Vec<Field> {
    let security = SECURITY.iter().map(|(name, value)| field(name, value));
    let id = field("x-request-id", record.request());
    security.chain([id]).collect()
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
    mut record: Record,
) -> Response {
    headers.push(field("content-length", &body.len().to_string()));
    record.status(status);
    record.write();
    wire::whole(status, &headers, body)
}

fn field(name: &str, value: &str) -> Field {
    (name.to_owned(), value.as_bytes().to_vec())
}
