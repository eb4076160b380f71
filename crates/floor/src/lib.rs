//! The smallest proxy: a component that forwards every request to one server, without
//! reading the bodies.
//!
//! It is the baseline of `cargo xtask bench`. The variable `UPSTREAM` is the address of
//! the server, such as `127.0.0.1:8080`.

#![cfg(target_family = "wasm")]

use std::cell::OnceCell;

use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Request, Response, Scheme};
use spin_sdk::wasip3::{exports, http, spawn, wit_future};

struct Floor;

http::service::export!(Floor with_types_in spin_sdk::wasip3);

impl exports::http::handler::Guest for Floor {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let method = request.get_method();
        let path = request.get_path_with_query();
        let headers = forwarded_headers(&request.get_headers())?;
        let (_, consumed) = wit_future::new(|| Ok(()));
        let (body, trailers) = Request::consume_body(request, consumed);
        let (outgoing, transmission) = Request::new(headers, Some(body), trailers, None);
        let address = || {
            outgoing.set_method(&method)?;
            outgoing.set_scheme(Some(&Scheme::Http))?;
            outgoing.set_authority(Some(&upstream()))?;
            outgoing.set_path_with_query(path.as_deref())
        };
        address().map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
        let response = client::send(outgoing).await?;
        // Wasmtime 49 aborts the connection when this future is dropped:
        // https://github.com/bytecodealliance/wasmtime/issues/14227. While it is
        // kept, a disconnect of the client need not end the request to the server.
        spawn(async {
            transmission.await.ok();
        });
        Ok(response)
    }
}

/// Returns the headers for the server: all except `Host`.
fn forwarded_headers(headers: &Fields) -> Result<Fields, ErrorCode> {
    let mut entries = headers.copy_all();
    entries.retain(|(name, _)| name != "host");
    Fields::from_list(&entries).map_err(|error| ErrorCode::InternalError(Some(error.to_string())))
}

/// Returns the address of the server. An instance reads it once.
fn upstream() -> String {
    thread_local! {
        static UPSTREAM: OnceCell<String> = const { OnceCell::new() };
    }
    let read = || std::env::var("UPSTREAM").unwrap_or_default();
    UPSTREAM.with(|cell| cell.get_or_init(read).clone())
}
