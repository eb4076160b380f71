//! HTTP/1.1 for the load tests: both ends of the connections of a server under test.
//!
//! ```text
//! message    requests, and the framing of bodies
//! client     one connection: requests, responses and their timing
//! upstream   scripted chat completions
//! ```

mod client;
mod message;
mod upstream;

pub(crate) use client::{Client, Timing};
pub(crate) use message::{chat_request, response_request};
pub(crate) use upstream::{Upstream, WORD, token};
