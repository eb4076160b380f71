//! The least that a proxy costs on a host: a component that hands every request
//! on to one server and its response back, and looks at neither body.
//!
//! `cargo xtask bench` measures the gateway against it. The variable `UPSTREAM`
//! names the server, as `127.0.0.1:8080`.

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
        let headers = to_pass(&request.get_headers())?;
        let (_, consumed) = wit_future::new(|| Ok(()));
        let (body, trailers) = Request::consume_body(request, consumed);
        let (passed, transmission) = Request::new(headers, Some(body), trailers, None);
        let address = || {
            passed.set_method(&method)?;
            passed.set_scheme(Some(&Scheme::Http))?;
            passed.set_authority(Some(&upstream()))?;
            passed.set_path_with_query(path.as_deref())
        };
        address().map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
        let response = client::send(passed).await?;
        // Wasmtime 49 aborts the connection when this future is dropped:
        // https://github.com/bytecodealliance/wasmtime/issues/14227. While it is
        // kept, a client that leaves need not end the request to the server.
        spawn(async {
            transmission.await.ok();
        });
        Ok(response)
    }
}

/// Returns the headers that are the server's too: all but the one that names
/// this proxy.
fn to_pass(headers: &Fields) -> Result<Fields, ErrorCode> {
    let mut entries = headers.copy_all();
    entries.retain(|(name, _)| name != "host");
    Fields::from_list(&entries).map_err(|error| ErrorCode::InternalError(Some(error.to_string())))
}

/// Returns the server, which an instance reads once.
fn upstream() -> String {
    thread_local! {
        static UPSTREAM: OnceCell<String> = const { OnceCell::new() };
    }
    let read = || std::env::var("UPSTREAM").unwrap_or_default();
    UPSTREAM.with(|cell| cell.get_or_init(read).clone())
}
