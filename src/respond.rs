//! Responses: bodies with the headers that each kind has.

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use spin_sdk::wasip3::http::types::Response;

use crate::error::{Answer, Error, Retry};
use crate::openai::error::ErrorDocument;
use crate::record::Record;
use crate::sse;
use crate::wire::{self, Body};

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Answers with a JSON document and ends the record.
pub(crate) fn json(status: StatusCode, body: Vec<u8>, record: Record) -> Response {
    let mut headers = common(&record);
    headers.insert(CONTENT_TYPE, JSON);
    finish(status, headers, body, record)
}

/// Answers with an error and ends the record.
pub(crate) fn failure(error: &Error, mut record: Record) -> Response {
    record.failure(error);
    let answer = error.answer();
    let mut headers = common(&record);
    headers.insert(CONTENT_TYPE, JSON);
    error_headers(&answer, &mut headers);
    let document = ErrorDocument {
        error: answer.error,
    };
    let body = serde_json::to_vec(&document).unwrap_or_default();
    finish(answer.status, headers, body, record)
}

/// Begins an answer of server-sent events.
pub(crate) fn stream(record: &mut Record) -> (Response, Body) {
    let mut headers = common(record);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(sse::MEDIA_TYPE));
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("no-cache, no-transform"),
    );
    // Asks nginx and its kin not to collect the stream.
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    record.status(StatusCode::OK);
    wire::open(StatusCode::OK, &headers)
}

/// The headers of every response: the request's id, and the security headers
/// that the reference sends.
fn common(record: &Record) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        PERMISSIONS_POLICY,
        HeaderValue::from_static("camera=(), microphone=(self), geolocation=()"),
    );
    if let Ok(id) = HeaderValue::from_str(record.request()) {
        headers.insert(REQUEST_ID, id);
    }
    headers
}

fn error_headers(answer: &Answer, headers: &mut HeaderMap) {
    if let Some(allow) = answer.allow {
        headers.insert(ALLOW, HeaderValue::from_static(allow));
    }
    if let Some(seconds) = answer.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if answer.retry == Retry::Never {
        headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
    }
    if answer.status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
}

fn finish(
    status: StatusCode,
    mut headers: HeaderMap,
    body: Vec<u8>,
    mut record: Record,
) -> Response {
    headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    record.status(status);
    record.write();
    wire::whole(status, &headers, body)
}
