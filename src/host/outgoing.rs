//! Outgoing responses of `wasi:http`.

use std::pin::Pin;
use std::time::Duration;

use http::StatusCode;
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Response};
use spin_sdk::wasip3::{wit_future, wit_stream};
use spin_sdk::wit_bindgen::rt::async_support::{
    FutureReader, FutureWriter, StreamResult, StreamWriter,
};
use tidegate_agent::timeout::within;

use crate::delivery::Client;
use crate::inbound::Holding;

/// The maximum size of one write of a whole body, in bytes.
const WRITE_SIZE: usize = 256 * 1024;

/// A header field of a response.
pub(crate) type Field = (String, Vec<u8>);

type BodyEnd = Result<Option<Fields>, ErrorCode>;

/// A response, and the future that writes its body.
pub(crate) struct Outgoing {
    /// The response.
    pub(crate) response: Response,
    /// Writes the body after the host has the response.
    pub(crate) sending: Pin<Box<dyn Future<Output = ()>>>,
}

impl Outgoing {
    #[must_use]
    pub(crate) fn new(response: Response, sending: impl Future<Output = ()> + 'static) -> Self {
        let sending = Box::pin(sending);
        Self { response, sending }
    }

    /// Holds the memory of the body until it has been sent.
    #[must_use]
    pub(crate) fn holding(self, memory: Holding) -> Self {
        let sending = self.sending;
        Self::new(self.response, async move {
            sending.await;
            drop(memory);
        })
    }
}

/// The body of a response during writing. Do not write after
/// [`Client::Disconnected`]: writing to an end that was reported as dropped traps.
#[derive(Debug)]
pub(crate) struct Body {
    stream: StreamWriter<u8>,
    end: FutureWriter<BodyEnd>,
    /// Dropping it may abort the connection. WASI does not specify this, and Wasmtime
    /// 49 aborts: <https://github.com/bytecodealliance/wasmtime/issues/14227>.
    _transmission: FutureReader<Result<(), ErrorCode>>,
}

impl Body {
    /// Sends bytes, in one write if the host takes them all.
    pub(crate) async fn send(&mut self, bytes: Vec<u8>) -> Client {
        match self.stream.write_all(bytes).await.as_slice() {
            [] => Client::Connected,
            _unsent => Client::Disconnected,
        }
    }

    /// Asks the host whether the client is still connected. The host reports it only at
    /// a write, so this writes zero bytes. Such a write may wait until the host reads:
    /// <https://github.com/WebAssembly/component-model/blob/main/design/mvp/Concurrency.md#stream-readiness>.
    pub(crate) async fn probe(&mut self) -> Client {
        match self.stream.write(Vec::new()).await {
            (StreamResult::Dropped, _) => Client::Disconnected,
            (StreamResult::Complete(_) | StreamResult::Cancelled, _) => Client::Connected,
        }
    }

    /// Ends the body. A body that is dropped without this call is incomplete for the
    /// client.
    pub(crate) async fn end(self) {
        drop(self.stream);
        // An error only means that the client has disconnected.
        self.end.write(Ok(None)).await.ok();
    }
}

/// Makes a response whose body is written later.
#[must_use]
pub(crate) fn open(status: StatusCode, headers: &[Field]) -> (Response, Body) {
    let (stream, contents) = wit_stream::new();
    let (end, trailers) = wit_future::new::<BodyEnd>(|| Err(ErrorCode::HttpResponseIncomplete));
    // Hosts refuse only reserved names, and the gateway sends no such header. A response
    // without headers is still a response.
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

/// Makes a response with its whole body, which is sent in one write if it is small. A client
/// that does not read a write within `timeout` has disconnected.
#[must_use]
pub(crate) fn whole(
    status: StatusCode,
    headers: &[Field],
    bytes: Vec<u8>,
    timeout: Duration,
) -> Outgoing {
    let (response, mut body) = open(status, headers);
    Outgoing::new(response, async move {
        let mut rest = bytes;
        while !rest.is_empty() {
            let next = rest.split_off(rest.len().min(WRITE_SIZE));
            let sent = within(timeout, body.send(rest)).await;
            if sent != Some(Client::Connected) {
                return;
            }
            rest = next;
        }
        within(timeout, body.end()).await;
    })
}
