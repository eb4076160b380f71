//! Incoming requests of `wasi:http`.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use http::Method;
use spin_sdk::time::sleep;
use spin_sdk::wasip3::http::types::{ErrorCode, Method as WasiMethod, Request};
use spin_sdk::wasip3::wit_future;
use spin_sdk::wit_bindgen::rt::async_support::{StreamReader, StreamResult};

use crate::inbound::{Headers, RequestHead};
use crate::rejection::{BodyFault, Rejection};

/// The number of bytes of a body that must arrive within [`BODY_TIMEOUT`].
const BODY_PACE: usize = 64 * 1024;

/// The time for [`BODY_PACE`] bytes of a body, or for its end.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The size of one read of a body, in bytes.
const READ_SIZE: usize = 64 * 1024;

/// Reads the head of a request.
pub(crate) fn head(request: &Request) -> RequestHead {
    RequestHead {
        method: method(&request.get_method()),
        target: request.get_path_with_query().unwrap_or_default(),
        headers: Headers::new(request.get_headers().copy_all()),
    }
}

/// Reads the body of a request.
///
/// # Errors
/// A body of more than `limit` bytes, before it is read if it declares its length; an
/// incomplete body; and one that arrives too slowly.
pub(crate) async fn body(
    request: Request,
    headers: &Headers,
    limit: usize,
) -> Result<Vec<u8>, Rejection> {
    let declared = headers.text("content-length");
    let declared = declared.and_then(|length| length.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(Rejection::Body(BodyFault::TooLarge(limit)));
    }
    let (_done, result) = wit_future::new::<Result<(), ErrorCode>>(|| Ok(()));
    let (stream, end) = Request::consume_body(request, result);
    let body = read(stream, declared, limit).await?;
    // The stream has ended and all declared bytes have arrived, so the body is complete.
    // Waiting for its trailers would take two more turns of the host.
    if declared == Some(body.len()) {
        return Ok(body);
    }
    match end.await {
        Ok(_trailers) => Ok(body),
        Err(_) => Err(Rejection::Body(BodyFault::Incomplete)),
    }
}

/// Reads until the end of the stream. The declared length only limits the buffer: a host may
/// forward a `Content-Length` that `Transfer-Encoding` overrides (RFC 9112, section 6.3).
async fn read(
    mut stream: StreamReader<u8>,
    declared: Option<usize>,
    limit: usize,
) -> Result<Vec<u8>, Rejection> {
    let mut body = Vec::new();
    let mut timeout = pin!(sleep(BODY_TIMEOUT));
    let mut arrived_before = 0;
    loop {
        body.reserve_exact(room(body.len(), body.capacity(), declared));
        let mut reading = pin!(stream.read(body));
        let ((result, read), is_due) = match select(reading.as_mut(), timeout.as_mut()).await {
            Either::Left((read, _)) => (read, false),
            // Cancel the read to learn how much has arrived. The cancelled read may
            // also have ended the body.
            Either::Right(((), _)) => (reading.as_mut().cancel(), true),
        };
        body = read;
        if body.len() > limit {
            return Err(Rejection::Body(BodyFault::TooLarge(limit)));
        }
        if result == StreamResult::Dropped {
            return Ok(body);
        }
        if is_due {
            if body.len() - arrived_before < BODY_PACE {
                return Err(Rejection::Body(BodyFault::Timeout));
            }
            arrived_before = body.len();
            timeout.set(sleep(BODY_TIMEOUT));
        }
    }
}

/// Returns how much room a body needs for the next read. It grows with what has arrived, and
/// never by what a client only declares.
fn room(length: usize, capacity: usize, declared: Option<usize>) -> usize {
    if length < capacity {
        return 0;
    }
    let grown = (length / 2).max(READ_SIZE);
    match declared.and_then(|declared| declared.checked_sub(length)) {
        // One byte more, so that the last read needs no larger buffer.
        Some(rest) => grown.min(rest + 1),
        None => grown,
    }
}

fn method(method: &WasiMethod) -> Method {
    match method {
        WasiMethod::Get => Method::GET,
        WasiMethod::Head => Method::HEAD,
        WasiMethod::Post => Method::POST,
        WasiMethod::Put => Method::PUT,
        WasiMethod::Delete => Method::DELETE,
        WasiMethod::Connect => Method::CONNECT,
        WasiMethod::Options => Method::OPTIONS,
        WasiMethod::Trace => Method::TRACE,
        WasiMethod::Patch => Method::PATCH,
        WasiMethod::Other(name) => Method::from_bytes(name.as_bytes()).unwrap_or(Method::TRACE),
    }
}
