//! The host's HTTP as plain values, and back. One of the few files that name
//! `wasi:http`.

use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::future::{Either, select};
use http::{Method, StatusCode};
use spin_sdk::time::sleep;
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Method as WasiMethod, Request, Response};
use spin_sdk::wasip3::random::random::get_random_bytes;
use spin_sdk::wasip3::{wit_future, wit_stream};
use spin_sdk::wit_bindgen::rt::async_support::{
    FutureReader, FutureWriter, StreamReader, StreamResult, StreamWriter,
};
use uuid::Uuid;

use crate::headers::Headers;
use crate::rejection::Rejection;

/// How much of a body must arrive in [`BODY_PATIENCE`], in bytes.
const BODY_PACE: usize = 64 * 1024;

/// How long a body may take for [`BODY_PACE`] bytes, or for its end.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

/// How much of a body is read at once, in bytes.
const READ_SIZE: usize = 64 * 1024;

/// A header field of a response.
pub(crate) type Field = (String, Vec<u8>);

type BodyEnd = Result<Option<Fields>, ErrorCode>;

/// A request whose body has not been read.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// The method.
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    /// The headers.
    pub(crate) headers: Headers,
    request: Request,
}

impl Incoming {
    /// Takes a request from the host.
    #[must_use]
    pub(crate) fn receive(request: Request) -> Self {
        Self {
            method: method(&request.get_method()),
            target: request.get_path_with_query().unwrap_or_default(),
            headers: Headers::new(request.get_headers().copy_all()),
            request,
        }
    }

    /// Returns the host and port that the request was sent to.
    #[must_use]
    pub(crate) fn authority(&self) -> Option<String> {
        self.request.get_authority()
    }

    /// Reads the body, and returns the headers with it.
    ///
    /// # Errors
    /// A body of more than `limit` bytes, if its length is declared before any
    /// of it is read; one that breaks off; one that comes too slowly.
    pub(crate) async fn read(self, limit: usize) -> Result<(Headers, Vec<u8>), Rejection> {
        let declared = self.headers.text("content-length");
        let declared = declared.and_then(|length| length.parse::<usize>().ok());
        if declared.is_some_and(|length| length > limit) {
            return Err(Rejection::TooLarge(limit));
        }
        let (_done, result) = wit_future::new::<Result<(), ErrorCode>>(|| Ok(()));
        let (stream, end) = Request::consume_body(self.request, result);
        let body = read(stream, declared, limit).await?;
        // The stream has ended after all that was declared: the body is whole, and
        // to wait for its trailers takes two more turns of the host.
        if declared == Some(body.len()) {
            return Ok((self.headers, body));
        }
        match end.await {
            Ok(_trailers) => Ok((self.headers, body)),
            Err(_) => Err(Rejection::BodyBroken),
        }
    }
}

/// Reads until the end of the stream. What is declared is room alone: a host may
/// pass on a `Content-Length` that `Transfer-Encoding` overrides (RFC 9112,
/// section 6.3).
async fn read(
    mut stream: StreamReader<u8>,
    declared: Option<usize>,
    limit: usize,
) -> Result<Vec<u8>, Rejection> {
    // A byte more than is declared, so that the end is found without growing.
    let mut body = Vec::with_capacity(declared.map_or(READ_SIZE, |length| length + 1));
    let mut patience = pin!(sleep(BODY_PATIENCE));
    let mut arrived_before = 0;
    loop {
        if body.capacity() == body.len() {
            body.reserve(READ_SIZE);
        }
        let mut reading = pin!(stream.read(body));
        let ((result, read), is_due) = match select(reading.as_mut(), patience.as_mut()).await {
            Either::Left((read, _)) => (read, false),
            // What has arrived is known only when no read is under way. The
            // cancelled read may have ended the body all the same.
            Either::Right(((), _)) => (reading.as_mut().cancel(), true),
        };
        body = read;
        if body.len() > limit {
            return Err(Rejection::TooLarge(limit));
        }
        if result == StreamResult::Dropped {
            return Ok(body);
        }
        if is_due {
            if body.len() - arrived_before < BODY_PACE {
                return Err(Rejection::BodyTimeout);
            }
            arrived_before = body.len();
            patience.set(sleep(BODY_PATIENCE));
        }
    }
}

/// A clock that strikes again and again.
pub(crate) struct Ticker {
    period: Duration,
    /// For how long the timer is armed.
    armed: Duration,
    timer: Pin<Box<dyn Future<Output = ()>>>,
}

impl Ticker {
    /// Sets a clock going, which strikes first after `first` and then once a
    /// `period`.
    #[must_use]
    pub(crate) fn new(first: Duration, period: Duration) -> Self {
        Self {
            period,
            armed: first,
            timer: Box::pin(sleep(first)),
        }
    }

    /// Waits for the next strike and returns the time since the one before.
    /// Giving up the wait loses nothing: the timer is armed anew only when it
    /// has struck.
    pub(crate) async fn tick(&mut self) -> Duration {
        self.timer.as_mut().await;
        self.timer = Box::pin(sleep(self.period));
        std::mem::replace(&mut self.armed, self.period)
    }
}

/// Returns ids that nobody can guess, from one call where the host gives as many
/// bytes as it is asked for.
#[must_use]
pub(crate) fn random_ids<const N: usize>() -> [Uuid; N] {
    let mut random = Vec::new();
    while let missing = (N * size_of::<Uuid>()).saturating_sub(random.len())
        && missing > 0
    {
        random.extend(get_random_bytes(missing as u64));
    }
    let (ids, _) = random.as_chunks();
    let id = |bytes: &[u8; 16]| uuid::Builder::from_random_bytes(*bytes).into_uuid();
    std::array::from_fn(|nth| ids.get(nth).map(id).unwrap_or_default())
}

/// A response, and what is to be done when the host has it.
pub(crate) struct Outgoing {
    /// The response.
    pub(crate) response: Response,
    /// The writing of its body.
    pub(crate) sending: Pin<Box<dyn Future<Output = ()>>>,
}

impl Outgoing {
    #[must_use]
    pub(crate) fn new(response: Response, sending: impl Future<Output = ()> + 'static) -> Self {
        let sending = Box::pin(sending);
        Self { response, sending }
    }
}

/// The body of a response, while it is written. Not to be written again after
/// [`Client::Gone`]: writing an end that was reported as dropped traps.
#[derive(Debug)]
pub(crate) struct Body {
    stream: StreamWriter<u8>,
    end: FutureWriter<BodyEnd>,
    /// Kept because dropping it may abort the connection. WASI does not say, and
    /// Wasmtime 49 aborts a request so:
    /// <https://github.com/bytecodealliance/wasmtime/issues/14227>.
    _transmission: FutureReader<Result<(), ErrorCode>>,
}

/// Whether the client still listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    /// It does, as far as the host knows.
    There,
    /// It has closed its connection.
    Gone,
}

impl Body {
    /// Sends bytes, in one write of the host's wherever that takes them all.
    pub(crate) async fn send(&mut self, bytes: Vec<u8>) -> Client {
        match self.stream.write_all(bytes).await.as_slice() {
            [] => Client::There,
            _unsent => Client::Gone,
        }
    }

    /// Asks the host whether the client is still there, by a write of nothing:
    /// the host tells it at a write only. Such a write may wait until the host
    /// reads: <https://github.com/WebAssembly/component-model/blob/main/design/mvp/Concurrency.md#stream-readiness>.
    pub(crate) async fn probe(&mut self) -> Client {
        match self.stream.write(Vec::new()).await {
            (StreamResult::Dropped, _) => Client::Gone,
            (StreamResult::Complete(_) | StreamResult::Cancelled, _) => Client::There,
        }
    }

    /// Ends the body. One that is dropped without this call breaks off, so that
    /// no client takes it for a whole one.
    pub(crate) async fn end(self) {
        drop(self.stream);
        // An error only says that the client has left.
        self.end.write(Ok(None)).await.ok();
    }
}

/// Makes a response whose body is written later.
#[must_use]
pub(crate) fn open(status: StatusCode, headers: &[Field]) -> (Response, Body) {
    let (stream, contents) = wit_stream::new();
    let (end, trailers) = wit_future::new::<BodyEnd>(|| Err(ErrorCode::HttpResponseIncomplete));
    // Only names that the host reserves for itself are refused, and none of
    // ours is; a response without headers would still be one.
    let fields = Fields::from_list(headers).unwrap_or_else(|_| Fields::new());
    let (response, transmission) = Response::new(fields, Some(contents), trailers);
    // A new response has the status 200.
    if status != StatusCode::OK {
        response.set_status_code(status.as_u16()).ok();
    }
    let body = Body {
        stream,
        end,
        _transmission: transmission,
    };
    (response, body)
}

/// Makes a response with all of its body, which goes out in one write.
#[must_use]
pub(crate) fn whole(status: StatusCode, headers: &[Field], bytes: Vec<u8>) -> Outgoing {
    let (response, mut body) = open(status, headers);
    Outgoing::new(response, async move {
        if !bytes.is_empty() {
            body.send(bytes).await;
        }
        body.end().await;
    })
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
