//! Requests over `wasi:http/client`.
//!
//! Dropping the body of a response closes the connection, so the backend learns that the
//! run is cancelled. This depends on the host: WASI does not specify the effect of dropping
//! a body (<https://github.com/WebAssembly/WASI/issues/812>).
//!
//! This module never retries a request. A host with a connection pool may retry on another
//! connection, because only the host knows that it has not sent the request. Any other
//! failure may have begun a run.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{Either, ready, select};
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{
    self, ErrorCode, Fields, Method, RequestOptions, Response as HostResponse, Trailers,
};
use spin_sdk::wasip3::{wit_future, wit_stream};
use spin_sdk::wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult, StreamWriter};
use tidegate_agent::Hold;
use tidegate_agent::timeout::{Watchdog, within};

use crate::endpoint::{Endpoint, Scheme};
use crate::request::{Header, Operation, Request};
use crate::response::Head;
use crate::settings::Settings;

/// The result of a body, reported by the sender.
type BodyEnd = Result<Option<Trailers>, ErrorCode>;

/// Resolves when the host has transmitted a request.
type Transmission = FutureReader<Result<(), ErrorCode>>;

/// How long the head of a list of models may take after the connect timeout, and its body
/// after that. The body of embeddings may take as long.
pub(crate) const LIST_TIME: Duration = Duration::from_secs(30);

/// How long the head of embeddings may take after the connect timeout. A model on the backend's
/// own machine computes a large request for a minute.
const EMBED_TIME: Duration = Duration::from_mins(2);

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
    watchdog: Watchdog,
    /// The rest of the request's body, if the backend answered before it had read all of it.
    writing: Option<Writing>,
    /// Dropping it may abort the connection. WASI does not specify this, and Wasmtime 49
    /// aborts: <https://github.com/bytecodealliance/wasmtime/issues/14227>.
    _transmission: Transmission,
    /// Dropped with the body, which writes the default `Ok`. An earlier write would wait for
    /// the host.
    _consumed: FutureWriter<Result<(), ErrorCode>>,
}

/// Where a request goes, and how long it may take.
#[derive(Clone, Copy)]
pub(crate) struct Target<'t> {
    pub(crate) endpoint: &'t Endpoint,
    pub(crate) options: &'t RequestOptions,
    pub(crate) settings: &'t Settings,
    /// Whether another backend may follow.
    pub(crate) has_next: bool,
}

/// Sends a request and waits for the head of its response. `hold` exists as long as the body.
///
/// # Errors
/// The host's error. Hosts do not limit every wait: Wasmtime 48 has no limit for a TLS
/// handshake. So a body of which nothing has been taken when the connect timeout is over is
/// [`ErrorCode::ConnectionTimeout`], and no run has begun. So is a request without a body,
/// which begins no run, if another backend may follow. Otherwise, the time for the first byte
/// begins then.
pub(crate) async fn send(
    request: &Request,
    body: Option<Vec<u8>>,
    hold: Hold,
    target: Target<'_>,
) -> Result<Response, ErrorCode> {
    let headers = fields(&request.headers)?;
    let path = target.endpoint.path(request.operation.path());
    let operation = request.operation;
    let method = match operation {
        Operation::Complete | Operation::Embed => Method::Post,
        Operation::ListModels => Method::Get,
    };
    let upload = Rc::new(Upload::new(target.endpoint.scheme()));
    let (contents, end, writing) = contents(body, hold, &upload);
    let options = Some(target.options.clone());
    let (request, transmission) = types::Request::new(headers, contents, end, options);
    let addressed = address(&request, &method, target.endpoint, &path);
    addressed.map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
    let settings = target.settings;
    let mut writing = Some(writing);
    let mut sending = Box::pin(while_writing(client::send(request), &mut writing));
    let mut response = within(settings.connect_timeout, sending.as_mut()).await;
    if response.is_none() {
        upload.is_due.set(true);
        // The upload learns how much the host has taken.
        response = sending.as_mut().now_or_never();
    }
    if response.is_none() && upload.begins_no_run(target.has_next) {
        return Err(ErrorCode::ConnectionTimeout);
    }
    if response.is_none() {
        let limit = match operation {
            Operation::Complete => settings.first_byte_timeout,
            Operation::ListModels => settings.first_byte_timeout.min(LIST_TIME),
            Operation::Embed => settings.first_byte_timeout.min(EMBED_TIME),
        };
        response = within(limit, sending.as_mut()).await;
    }
    drop(sending);
    let response = response.unwrap_or(Err(ErrorCode::ConnectionReadTimeout))?;
    let watchdog = Watchdog::new(settings.between_bytes_timeout);
    Ok(Response::new(response, transmission, watchdog, writing))
}

/// Writes the body of a request while waiting for something. A backend may answer before it
/// has read the whole body. The rest is left in `writing`, and ends with the response's body:
/// a host may keep its end open for as long as it likes.
async fn while_writing<T>(work: impl Future<Output = T>, writing: &mut Option<Writing>) -> T {
    let Some(unwritten) = writing else {
        return work.await;
    };
    match select(pin!(work), unwritten).await {
        Either::Left((value, _)) => value,
        Either::Right(((), work)) => {
            *writing = None;
            work.await
        }
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

/// The upload of a body.
struct Upload {
    scheme: Scheme,
    /// Whether the connect timeout is over.
    is_due: Cell<bool>,
    taken: Cell<Taken>,
}

impl Upload {
    fn new(scheme: Scheme) -> Self {
        Self {
            scheme,
            is_due: Cell::default(),
            taken: Cell::default(),
        }
    }

    /// Returns whether the request has certainly begun no run, or none that a second request
    /// to a next backend would begin again.
    fn begins_no_run(&self, has_next: bool) -> bool {
        match self.taken.get() {
            Taken::NoBody => has_next,
            Taken::Nothing => true,
            Taken::Unknown | Taken::Something => false,
        }
    }

    /// Takes the first byte of a body for TLS. Wasmtime 48 takes one write before it has a
    /// connection, and the next one after the TLS handshake.
    fn take_lead(&self, body: &mut Vec<u8>) -> Option<Vec<u8>> {
        match self.scheme {
            Scheme::Http => None,
            Scheme::Https => {
                self.taken.set(Taken::Nothing);
                Some(body.drain(..body.len().min(1)).collect())
            }
        }
    }

    /// Writes bytes until the host has taken some, or the connect timeout is over. Returns
    /// the others.
    async fn write(&self, stream: &mut StreamWriter<u8>, bytes: Vec<u8>) -> Vec<u8> {
        let mut writing = pin!(stream.write(bytes));
        // The task that sets `is_due` polls this future then.
        let mut is_due = poll_fn(|_| match self.is_due.get() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        });
        let rest = match select(writing.as_mut(), &mut is_due).await {
            Either::Left(((_, rest), _)) => rest,
            // The cancelled write returns what the host has not taken.
            Either::Right(((), _)) => writing.as_mut().cancel().1,
        };
        rest.into_vec()
    }
}

/// What the host has taken of a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Taken {
    /// There is no body, so the request begins no run.
    NoBody,
    /// Not known yet.
    #[default]
    Unknown,
    Nothing,
    Something,
}

/// Returns the body for the host, and the future that writes it.
fn contents(
    body: Option<Vec<u8>>,
    hold: Hold,
    upload: &Rc<Upload>,
) -> (Option<StreamReader<u8>>, FutureReader<BodyEnd>, Writing) {
    let Some(body) = body else {
        upload.taken.set(Taken::NoBody);
        let (_, end) = wit_future::new(|| Ok(None));
        return (None, end, Box::pin(ready(())));
    };
    let (bytes, contents) = wit_stream::new();
    let (ended, end) = wit_future::new(|| Err(ErrorCode::ConnectionTerminated));
    let writing = write(body, hold, bytes, ended, Rc::clone(upload));
    (Some(contents), end, Box::pin(writing))
}

/// Writes a body, and reports it as complete only if the host has read all of it.
async fn write(
    mut body: Vec<u8>,
    hold: Hold,
    mut bytes: StreamWriter<u8>,
    ended: FutureWriter<BodyEnd>,
    upload: Rc<Upload>,
) {
    if let Some(lead) = upload.take_lead(&mut body)
        && !upload.write(&mut bytes, lead).await.is_empty()
    {
        return;
    }
    let size = body.len();
    let rest = upload.write(&mut bytes, body).await;
    if rest.len() == size {
        upload.taken.set(Taken::Nothing);
        return;
    }
    upload.taken.set(Taken::Something);
    let left = bytes.write_all(rest).await;
    drop((bytes, hold));
    if left.is_empty() {
        // A host that has dropped the future already has the response.
        ended.write(Ok(None)).await.ok();
    }
}

impl Response {
    fn new(
        response: HostResponse,
        transmission: Transmission,
        watchdog: Watchdog,
        writing: Option<Writing>,
    ) -> Self {
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
            watchdog,
            writing,
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
    ///
    /// # Errors
    /// [`ErrorCode::ConnectionReadTimeout`].
    pub(crate) async fn read(&mut self, mut buffer: Vec<u8>) -> Result<Option<Vec<u8>>, ErrorCode> {
        let is_full = buffer.len() == buffer.capacity();
        let size = if is_full { 2 * buffer.len() } else { 0 };
        buffer.clear();
        buffer.reserve(size.clamp(READ_SIZE, MAX_READ_SIZE));
        let reading = while_writing(self.bytes.read(buffer), &mut self.writing);
        let read = self.watchdog.watch(reading).await;
        Ok(match read.ok_or(ErrorCode::ConnectionReadTimeout)? {
            (StreamResult::Dropped | StreamResult::Cancelled, buffer) if buffer.is_empty() => None,
            (_, buffer) => Some(buffer),
        })
    }

    /// Checks that the body is complete.
    pub(crate) async fn end(mut self) -> Result<(), ErrorCode> {
        drop(self.bytes);
        let ending = while_writing(self.end.into_future(), &mut self.writing);
        let ended = self.watchdog.watch(ending).await;
        ended.unwrap_or(Err(ErrorCode::ConnectionReadTimeout))?;
        Ok(())
    }

    /// Reads the body up to `limit` bytes.
    pub(crate) async fn read_up_to(mut self, limit: usize) -> Result<Vec<u8>, ErrorCode> {
        let mut whole = Vec::new();
        let mut buffer = Vec::new();
        while let Some(bytes) = self.read(buffer).await? {
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
