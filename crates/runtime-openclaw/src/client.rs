//! Requests over `wasi:http/client`.
//!
//! Dropping the body of a response closes the connection, so the backend learns that the
//! run is cancelled. This depends on the host: WASI does not specify the effect of dropping
//! a body (<https://github.com/WebAssembly/WASI/issues/812>).
//!
//! This module never retries a request. A host with a connection pool may retry on another
//! connection, because only the host knows that it has not sent the request. Any other
//! failure may have begun a run.

use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::future::{Either, ready, select};
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{
    self, ErrorCode, Fields, Method, RequestOptions, Response as HostResponse, Trailers,
};
use spin_sdk::wasip3::{spawn, wit_future, wit_stream};
use spin_sdk::wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult, StreamWriter};
use tidegate_agent::Hold;

use crate::endpoint::{Endpoint, Scheme};
use crate::request::{Header, Operation, Request};
use crate::response::Head;
use crate::settings::Settings;

/// The result of a body, reported by the sender.
type BodyEnd = Result<Option<Trailers>, ErrorCode>;

/// Resolves when the host has transmitted a request.
type Transmission = FutureReader<Result<(), ErrorCode>>;

/// The size of the first read, in bytes. A silent stream keeps a buffer of this size.
const READ_SIZE: usize = 4 * 1024;

/// The maximum size of one read, in bytes, for bodies that fill their buffers.
const MAX_READ_SIZE: usize = 32 * 1024;

/// A response with an unread body.
pub(crate) struct Response {
    /// The head.
    pub(crate) head: Head,
    /// The body.
    pub(crate) body: Body,
}

/// The body of a response.
pub(crate) struct Body {
    bytes: StreamReader<u8>,
    end: FutureReader<BodyEnd>,
    /// Dropping it may abort the connection. WASI does not specify this, and Wasmtime 49
    /// aborts: <https://github.com/bytecodealliance/wasmtime/issues/14227>.
    _transmission: Transmission,
    /// Dropped with the body, which writes the default `Ok`. An earlier write would wait for
    /// the host.
    _consumed: FutureWriter<Result<(), ErrorCode>>,
}

/// Sends a request and waits for the head of its response. `hold` exists as long as the body.
pub(crate) async fn send(
    request: &Request,
    body: Option<Vec<u8>>,
    hold: Hold,
    endpoint: &Endpoint,
    options: &RequestOptions,
) -> Result<Response, ErrorCode> {
    let headers = fields(&request.headers)?;
    let path = endpoint.path(request.operation.path());
    let method = match request.operation {
        Operation::Complete => Method::Post,
        Operation::ListModels => Method::Get,
    };
    let (contents, end, writing) = contents(body, hold);
    let options = Some(options.clone());
    let (request, transmission) = types::Request::new(headers, contents, end, options);
    address(&request, &method, endpoint, &path).map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
    let response = while_writing(client::send(request), writing).await?;
    Ok(Response::new(response, transmission))
}

/// Writes the body of a request while waiting for the head of the response. A backend may
/// answer before it has read the whole body; the rest is then written concurrently. After a
/// failure nothing more is written, even if the host keeps its end open.
async fn while_writing<T, E>(
    sending: impl Future<Output = Result<T, E>>,
    writing: Writing,
) -> Result<T, E> {
    match select(pin!(sending), writing).await {
        Either::Left((response, writing)) => {
            if response.is_ok() {
                spawn(writing);
            }
            response
        }
        Either::Right(((), sending)) => sending.await,
    }
}

fn fields(headers: &[Header]) -> Result<Fields, ErrorCode> {
    Fields::from_list(headers).map_err(|error| ErrorCode::InternalError(Some(error.to_string())))
}

fn address(
    request: &types::Request,
    method: &Method,
    endpoint: &Endpoint,
    path: &str,
) -> Result<(), ()> {
    let scheme = match endpoint.scheme() {
        Scheme::Http => types::Scheme::Http,
        Scheme::Https => types::Scheme::Https,
    };
    request.set_method(method)?;
    request.set_scheme(Some(&scheme))?;
    request.set_authority(Some(endpoint.authority()))?;
    request.set_path_with_query(Some(path))
}

/// Returns the timeouts of all requests. A host without support for them keeps its own.
#[must_use]
pub(crate) fn options(settings: &Settings) -> RequestOptions {
    let nanoseconds = |time: Duration| Some(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    let options = RequestOptions::new();
    options
        .set_connect_timeout(nanoseconds(settings.connect_timeout))
        .ok();
    options
        .set_first_byte_timeout(nanoseconds(settings.first_byte_timeout))
        .ok();
    options
        .set_between_bytes_timeout(nanoseconds(settings.between_bytes_timeout))
        .ok();
    options
}

/// A future that writes the body of a request.
type Writing = Pin<Box<dyn Future<Output = ()>>>;

/// Returns the body for the host, and the future that writes it.
fn contents(
    body: Option<Vec<u8>>,
    hold: Hold,
) -> (Option<StreamReader<u8>>, FutureReader<BodyEnd>, Writing) {
    let Some(body) = body else {
        let (_, end) = wit_future::new(|| Ok(None));
        return (None, end, Box::pin(ready(())));
    };
    let (bytes, contents) = wit_stream::new();
    let (ended, end) = wit_future::new(|| Err(ErrorCode::ConnectionTerminated));
    (
        Some(contents),
        end,
        Box::pin(write(body, hold, bytes, ended)),
    )
}

/// Writes a body, and reports it as complete only if the host has read all of it.
async fn write(
    body: Vec<u8>,
    hold: Hold,
    mut bytes: StreamWriter<u8>,
    ended: FutureWriter<BodyEnd>,
) {
    let left = bytes.write_all(body).await;
    drop((bytes, hold));
    if left.is_empty() {
        // A host that has dropped the future already has the response.
        ended.write(Ok(None)).await.ok();
    }
}

impl Response {
    fn new(response: HostResponse, transmission: Transmission) -> Self {
        let headers = response.get_headers();
        let status = response.get_status_code();
        // Reading a header is a call of the host.
        let of_error = |name| (status != 200).then(|| value(&headers, name)).flatten();
        let head = Head {
            status,
            content_type: value(&headers, "content-type"),
            retry_after: of_error("retry-after"),
            date: of_error("date"),
        };
        let (consumed, is_consumed) = wit_future::new(|| Ok(()));
        let (bytes, end) = HostResponse::consume_body(response, is_consumed);
        let body = Body {
            bytes,
            end,
            _transmission: transmission,
            _consumed: consumed,
        };
        Self { head, body }
    }
}

fn value(headers: &Fields, name: &str) -> Option<String> {
    let values = headers.get(name).into_iter();
    let mut texts = values.filter_map(|value| String::from_utf8(value).ok());
    texts.next()
}

impl Body {
    /// Reads the available bytes into `buffer`, and waits for at least one. Returns `None` at
    /// the end of the body, complete or not. Must not be called again after that: reading
    /// from an end that was reported as dropped traps.
    ///
    /// The last read may have bytes and end the stream. wit-bindgen 0.57 reports it as
    /// complete, but that result is under discussion, so only the buffer counts: <https://github.com/bytecodealliance/wit-bindgen/issues/1396>.
    pub(crate) async fn read(&mut self, mut buffer: Vec<u8>) -> Option<Vec<u8>> {
        let is_full = buffer.len() == buffer.capacity();
        let size = if is_full { 2 * buffer.len() } else { 0 };
        buffer.clear();
        buffer.reserve(size.clamp(READ_SIZE, MAX_READ_SIZE));
        match self.bytes.read(buffer).await {
            (StreamResult::Dropped | StreamResult::Cancelled, buffer) if buffer.is_empty() => None,
            (_, buffer) => Some(buffer),
        }
    }

    /// Checks that the body is complete.
    pub(crate) async fn end(self) -> Result<(), ErrorCode> {
        drop(self.bytes);
        self.end.await.map(|_| ())
    }

    /// Reads the body up to `limit` bytes.
    pub(crate) async fn read_up_to(mut self, limit: usize) -> Result<Vec<u8>, ErrorCode> {
        let mut whole = Vec::new();
        let mut buffer = Vec::new();
        while let Some(bytes) = self.read(buffer).await {
            whole.extend_from_slice(&bytes);
            if whole.len() >= limit {
                whole.truncate(limit);
                return Ok(whole);
            }
            buffer = bytes;
        }
        self.end().await.map(|()| whole)
    }
}
