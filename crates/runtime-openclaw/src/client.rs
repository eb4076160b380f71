//! Requests over `wasi:http/client`.
//!
//! Dropping a response's body closes the connection, by which the server
//! learns that nobody waits any longer. This leans on the host: WASI leaves open
//! what dropping one does (<https://github.com/WebAssembly/WASI/issues/812>).
//!
//! Nothing is sent twice from here. A host that keeps connections may find one
//! closed before a request is on it, and takes another: it alone knows that
//! nothing was sent. All else that breaks may have begun a run.

use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::future::{Either, ready, select};
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{
    self, ErrorCode, Fields, Method, RequestOptions, Response as HostResponse, Trailers,
};
use spin_sdk::wasip3::{spawn, wit_future, wit_stream};
use spin_sdk::wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult, StreamWriter};

use crate::endpoint::{Endpoint, Scheme};
use crate::request::{Header, Operation, Request};
use crate::response::Head;
use crate::settings::Settings;

/// The outcome of a body as the host tells it, or is told.
type BodyEnd = Result<Option<Trailers>, ErrorCode>;

/// Resolves when the host has transmitted a request.
type Transmission = FutureReader<Result<(), ErrorCode>>;

/// How much is read at once: a network packet holds less, and a host does not
/// wait until it is full.
pub(crate) const READ_SIZE: usize = 32 * 1024;

/// A response whose body has not been read.
pub(crate) struct Response {
    /// The head.
    pub(crate) head: Head,
    /// The rest.
    pub(crate) body: Body,
}

/// The body of a response.
pub(crate) struct Body {
    bytes: StreamReader<u8>,
    end: FutureReader<BodyEnd>,
    /// Kept because dropping it may abort the connection. WASI says nothing about
    /// it, and Wasmtime 49 aborts: <https://github.com/bytecodealliance/wasmtime/issues/14227>.
    _transmission: Transmission,
    /// Dropped with the rest, which writes the default `Ok`: earlier, the write
    /// would wait for the host meanwhile.
    _consumed: FutureWriter<Result<(), ErrorCode>>,
}

/// Sends a request with this body and waits for the head of its response.
pub(crate) async fn send(
    request: &Request,
    body: Option<Vec<u8>>,
    endpoint: &Endpoint,
    options: &RequestOptions,
) -> Result<Response, ErrorCode> {
    let headers = fields(&request.headers)?;
    let path = endpoint.path(request.operation.path());
    let method = match request.operation {
        Operation::Complete => Method::Post,
        Operation::ListModels => Method::Get,
    };
    let (contents, end, writing) = contents(body);
    let options = Some(options.clone());
    let (request, transmission) = types::Request::new(headers, contents, end, options);
    address(&request, &method, endpoint, &path).map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
    let response = while_writing(client::send(request), writing).await?;
    Ok(Response::new(response, transmission))
}

/// Waits for the head of a response, and writes the request's body meanwhile.
/// A server may answer before it has read all: the rest is written concurrently.
/// After a failure nothing is written, whether or not the host drops its end.
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

/// Returns the limits of time, for any number of requests. A host that has no
/// such limits keeps its own.
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

/// The writing of a request's body.
type Writing = Pin<Box<dyn Future<Output = ()>>>;

/// Returns a body as the host reads it, and the writing of it.
fn contents(body: Option<Vec<u8>>) -> (Option<StreamReader<u8>>, FutureReader<BodyEnd>, Writing) {
    let Some(body) = body else {
        let (_, end) = wit_future::new(|| Ok(None));
        return (None, end, Box::pin(ready(())));
    };
    let (bytes, contents) = wit_stream::new();
    let (ended, end) = wit_future::new(|| Err(ErrorCode::ConnectionTerminated));
    (Some(contents), end, Box::pin(write(body, bytes, ended)))
}

/// Writes a body, and that it is whole only if it is.
async fn write(body: Vec<u8>, mut bytes: StreamWriter<u8>, ended: FutureWriter<BodyEnd>) {
    let left = bytes.write_all(body).await;
    drop(bytes);
    if left.is_empty() {
        // A host that no longer wants to know has the response already.
        ended.write(Ok(None)).await.ok();
    }
}

impl Response {
    fn new(response: HostResponse, transmission: Transmission) -> Self {
        let headers = response.get_headers();
        let status = response.get_status_code();
        let head = Head {
            status,
            content_type: value(&headers, "content-type"),
            // Each header is a call of the host.
            retry_after: match status {
                200 => None,
                _ => value(&headers, "retry-after"),
            },
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
    /// Reads what there is, waiting for at least one byte, into the room of
    /// `buffer`; returns none at the end, be it a proper one or not. Must not be
    /// called after that: reading an end that was reported as dropped traps.
    ///
    /// A read may end the stream and have bytes at once. wit-bindgen 0.57 reports
    /// such a read as complete, but the buffer alone decides, because its result
    /// is under discussion: <https://github.com/bytecodealliance/wit-bindgen/issues/1396>.
    pub(crate) async fn read(&mut self, mut buffer: Vec<u8>) -> Option<Vec<u8>> {
        buffer.clear();
        buffer.reserve(READ_SIZE);
        match self.bytes.read(buffer).await {
            (StreamResult::Dropped | StreamResult::Cancelled, buffer) if buffer.is_empty() => None,
            (_, buffer) => Some(buffer),
        }
    }

    /// Tells whether the end of the body was a proper one.
    pub(crate) async fn end(self) -> Result<(), ErrorCode> {
        drop(self.bytes);
        self.end.await.map(|_| ())
    }

    /// Reads the whole body, or its beginning if it is longer than `limit`.
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
