//! What the black-box tests are made of: the real server, a client that sees
//! every byte, and a stand-in for the gateway of a runtime.
//!
//! ```text
//! server    `xtask serve` with one component and one configuration
//! request   a request, sent over a plain socket
//! response  what came back, at once or piece by piece with its times
//! upstream  a scripted server that remembers who called and who hung up
//! script    the usual answers of that server
//! client    ordinary configurations and requests, and what is true of every answer
//! wire      HTTP/1.1 as bytes
//! watched   a value that others wait for; nothing here waits by the clock alone
//! ```
//!
//! Everything fails by panicking with what was seen so far.

#![allow(dead_code, reason = "each test file uses its own part of the harness")]
#![allow(unused_imports, reason = "as above")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test's tools fail by panicking"
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

pub(crate) use client::{TOKEN, ask, chunks, config, error, finishes, streamed, text};
pub(crate) use request::Request;
pub(crate) use response::{Event, Piece, Response, Stream};
pub(crate) use script::{
    broken_stream, delta, finish, friendly, last_message, raw_stream, refusal, refusal_with, says,
    stream, upstream_of,
};
pub(crate) use server::{Server, ServerBuilder};
pub(crate) use upstream::{Close, Connection, RecordedRequest, Step, Upstream, steps};
pub(crate) use watched::Watched;
pub(crate) use wire::Headers;

/// How long anything is waited for that ought to happen at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
