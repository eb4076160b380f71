//! The tools of the black-box tests: the real server, a client that sees every byte,
//! and a scripted upstream.
//!
//! ```text
//! server    `xtask serve` with one component and one configuration
//! request   a request, sent over a plain socket
//! response  a response, whole or piece by piece with timestamps
//! upstream  a scripted HTTP server that records requests and disconnects
//! script    the usual responses of that server
//! client    ordinary configurations and requests, and checks for every response
//! wire      HTTP/1.1 as bytes
//! watched   a value that other threads wait for, so that no test sleeps
//! ```
//!
//! Every failure panics and shows the data that arrived before it.

#![allow(dead_code, reason = "each test file uses a part of the harness")]
#![allow(unused_imports, reason = "as above")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a tool of the tests panics if it fails"
)]

mod client;
mod request;
mod response;
mod script;
mod server;
mod upstream;
mod watched;
mod wire;

use std::time::Duration;

pub(crate) use client::{
    TOKEN, ask, chunks, config, error, finishes, output_text, response_events, streamed, text,
};
pub(crate) use request::Request;
pub(crate) use response::{Event, Piece, Response, Stream};
pub(crate) use script::{
    broken_stream, delta, finish, hello_upstream, last_message, raw_stream, refusal, refusal_with,
    says, stream, upstream_of,
};
pub(crate) use server::{Server, ServerBuilder};
pub(crate) use upstream::{Close, Connection, RecordedRequest, Step, Upstream, steps};
pub(crate) use watched::Watched;
pub(crate) use wire::Headers;

/// How long a test waits for something that should happen at once.
pub(crate) const WAIT_LIMIT: Duration = Duration::from_secs(30);
