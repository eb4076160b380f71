//! A runtime that carries out runs with OpenClaw, or with another server that has OpenAI's
//! `POST /v1/chat/completions`. It always requests a stream.
//!
//! ```text
//!  run-request
//!      | settings     configuration document    -> Settings
//!      | request      RunRequest                -> headers and JSON body
//!      | rendezvous   session, backends         -> scores
//!      | pool         scores, availability      -> the route of the request
//!      v                              ----- effects ---------------------------
//!  component ── instance ── client ──▶ wasi:http/client ──▶ the backends
//!      | event_sink   sends events, and detects a disconnect of the caller
//!      v                              ----- pure again below ------------------
//!      | response     status, headers, body     -> continue, or RunError
//!      | sse          bytes, split anywhere     -> Event
//!      | chunk        Event                     -> text, calls, finish, error
//!      | tool_calls   deltas                    -> calls 0, 1, 2 …
//!      | run_decoder  all of these, in order    -> RunEvent*, then the outcome
//!      v
//!  stream<run-event>, future<result<run-outcome, run-error>>
//! ```
//!
//! Only some headers, which other servers ignore, and the default model names
//! (`openclaw/<agent>`) are specific to OpenClaw.

mod bindings;

pub mod availability;
pub mod backend;
pub mod backoff_state;
pub mod chunk;
#[cfg(target_family = "wasm")]
mod client;
#[cfg(target_family = "wasm")]
mod component;
pub mod endpoint;
pub mod error_object;
#[cfg(target_family = "wasm")]
mod event_sink;
#[cfg(target_family = "wasm")]
mod instance;
pub mod models;
pub mod pool;
pub mod redactor;
pub mod rendezvous;
pub mod request;
pub mod response;
pub mod run_decoder;
pub mod settings;
pub mod sse;
#[cfg(target_family = "wasm")]
mod store;
pub mod tool_calls;
pub mod transport;

/// The types of the runtime interface.
pub mod types {
    pub use crate::bindings::exports::tidegate::agent::runtime::{
        Agent, ContentPart, Continuity, Image, InvalidKind, InvalidRequest, Message,
        ResponseFormat, Role, RunError, RunEvent, RunOutcome, RunRequest, Sampling, StopReason,
        Tool, ToolArgumentsDelta, ToolCall, ToolCallStart, ToolChoice, Usage,
    };
}
