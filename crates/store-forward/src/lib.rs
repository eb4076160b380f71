//! A store-and-forward proxy: it reads a request whole, sends it to one server, and writes
//! the response piece by piece without looking at it.
//!
//! It is the honest limit of `cargo xtask bench`: every gateway that looks at requests must
//! read them, and its own code adds to that. The variable `UPSTREAM` is the address of
//! the server, such as `127.0.0.1:8080`.

#![cfg(target_family = "wasm")]

use std::cell::OnceCell;
use std::pin::pin;

use futures_util::future::{Either, select};
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{
    ErrorCode, Fields, Method, Request, Response, Scheme, Trailers,
};
use spin_sdk::wasip3::{exports, http, spawn, wit_future, wit_stream};
use spin_sdk::wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult, StreamWriter};
use tidegate_agent::task::KeepAwake;

/// The size of one read, in bytes.
const READ_SIZE: usize = 32 * 1024;

/// Resolves when the host has transmitted a request.
type Transmission = FutureReader<Result<(), ErrorCode>>;

/// The result of a body, reported by the sender.
type BodyEnd = Result<Option<Trailers>, ErrorCode>;

struct StoreForward;

http::service::export!(StoreForward with_types_in spin_sdk::wasip3);

impl exports::http::handler::Guest for StoreForward {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let keep_awake = KeepAwake::join();
        let path = request.get_path_with_query();
        let body = stored(request).await;
        let (outgoing, transmission, writing) = outgoing(path, body)?;
        let response = match select(pin!(client::send(outgoing)), Box::pin(writing)).await {
            Either::Left((response, writing)) => {
                spawn(writing);
                response?
            }
            Either::Right(((), sending)) => sending.await?,
        };
        let (response, forwarding) = forwarded(response)?;
        spawn(async move {
            forwarding.await;
            // Wasmtime 49 aborts the connection when this future is dropped:
            // https://github.com/bytecodealliance/wasmtime/issues/14227.
            drop(transmission);
            keep_awake.leave();
        });
        Ok(response)
    }
}

/// Reads the whole body of a request.
async fn stored(request: Request) -> Vec<u8> {
    let length = request.get_headers().get("content-length");
    let length = length
        .first()
        .and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
    let (_, consumed) = wit_future::new(|| Ok(()));
    let (mut stream, _) = Request::consume_body(request, consumed);
    let mut body = Vec::with_capacity(length.unwrap_or(READ_SIZE));
    loop {
        if body.capacity() == body.len() {
            body.reserve(READ_SIZE);
        }
        let (result, read) = stream.read(body).await;
        body = read;
        if result == StreamResult::Dropped || Some(body.len()) == length {
            return body;
        }
    }
}

/// Returns a request to the server, and the future that writes its body.
fn outgoing(
    path: Option<String>,
    body: Vec<u8>,
) -> Result<(Request, Transmission, impl Future<Output = ()>), ErrorCode> {
    let length = body.len().to_string().into_bytes();
    let headers = fields(&[
        ("content-type".to_owned(), b"application/json".to_vec()),
        ("content-length".to_owned(), length),
    ])?;
    let (stream, contents) = wit_stream::new();
    let (end, trailers) = wit_future::new(|| Err(ErrorCode::ConnectionTerminated));
    let (request, transmission) = Request::new(headers, Some(contents), trailers, None);
    let address = || {
        request.set_method(&Method::Post)?;
        request.set_scheme(Some(&Scheme::Http))?;
        request.set_authority(Some(&upstream()))?;
        request.set_path_with_query(path.as_deref())
    };
    address().map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
    Ok((request, transmission, write(body, stream, end)))
}

async fn write(body: Vec<u8>, mut stream: StreamWriter<u8>, end: FutureWriter<BodyEnd>) {
    stream.write_all(body).await;
    drop(stream);
    end.write(Ok(None)).await.ok();
}

/// Returns a response for the client, and the future that writes its body.
fn forwarded(response: Response) -> Result<(Response, impl Future<Output = ()>), ErrorCode> {
    let status = response.get_status_code();
    let types = response.get_headers().get("content-type");
    let types = types
        .into_iter()
        .map(|value| ("content-type".to_owned(), value));
    let headers = fields(&types.collect::<Vec<_>>())?;
    let (consumed, is_consumed) = wit_future::new(|| Ok(()));
    let (bytes, bytes_end) = Response::consume_body(response, is_consumed);
    let (stream, contents) = wit_stream::new();
    let (end, trailers) = wit_future::new(|| Err(ErrorCode::HttpResponseIncomplete));
    let (forwarded, transmission) = Response::new(headers, Some(contents), trailers);
    forwarded.set_status_code(status).ok();
    let forwarding = async move {
        copy(bytes, stream).await;
        drop(bytes_end);
        end.write(Ok(None)).await.ok();
        drop((consumed, transmission));
    };
    Ok((forwarded, forwarding))
}

async fn copy(mut from: StreamReader<u8>, mut to: StreamWriter<u8>) {
    let mut buffer = Vec::with_capacity(READ_SIZE);
    loop {
        let (result, read) = from.read(buffer).await;
        buffer = to.write_all(read).await;
        // A read after `Dropped` would trap.
        if !buffer.is_empty() || result == StreamResult::Dropped {
            return;
        }
        buffer.reserve(READ_SIZE);
    }
}

fn fields(headers: &[(String, Vec<u8>)]) -> Result<Fields, ErrorCode> {
    Fields::from_list(headers).map_err(|error| ErrorCode::InternalError(Some(error.to_string())))
}

/// Returns the address of the server. An instance reads it once.
fn upstream() -> String {
    thread_local! {
        static UPSTREAM: OnceCell<String> = const { OnceCell::new() };
    }
    let read = || std::env::var("UPSTREAM").unwrap_or_default();
    UPSTREAM.with(|cell| cell.get_or_init(read).clone())
}
