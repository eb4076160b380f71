//! Carries out agent runs by calling an OpenClaw gateway, or any other server
//! of OpenAI's `POST /v1/chat/completions`, and always in streaming form.
//!
//! ```text
//!  run-request
//!      | settings    configuration document     -> Settings, or every fault
//!      | request     RunRequest                 -> headers and JSON body
//!      | rendezvous  session, servers           -> the server that it belongs to
//!      | pool        who can be reached         -> that one, or the next
//!      v                                 ----- effects ------------------------
//!  component ── client ──▶ wasi:http/client ──▶ the gateways at `runtime.urls`
//!      | audience    asks several times a second whether the caller still listens
//!      v                                 ----- pure again below --------------
//!      | response    status, headers, body      -> go on, or RunError
//!      | sse         bytes, however they split  -> Event
//!      | chunk       Event                      -> text, calls, finish, error
//!      | tool_calls  deltas by upstream index   -> calls 0, 1, 2 …
//!      | transcript  all of them in order       -> RunEvent*, then the ending
//!      v
//!  stream<run-event>, future<result<run-outcome, run-error>>
//! ```
//!
//! Nothing here depends on OpenClaw but the names of a few headers, which other
//! servers ignore, and of the models, `openclaw/<agent>`, where the settings
//! name no others.

mod bindings;

pub mod absences;
#[cfg(target_family = "wasm")]
mod audience;
pub mod availability;
pub mod censor;
pub mod chunk;
#[cfg(target_family = "wasm")]
mod client;
#[cfg(target_family = "wasm")]
mod component;
pub mod endpoint;
pub mod error_object;
#[cfg(target_family = "wasm")]
mod instance;
pub mod models;
pub mod pool;
pub mod rendezvous;
pub mod request;
pub mod response;
pub mod server;
pub mod settings;
pub mod sse;
#[cfg(target_family = "wasm")]
mod store;
pub mod tool_calls;
pub mod transcript;
pub mod transport;

/// The types of the contract.
pub mod types {
    pub use crate::bindings::exports::tidegate::agent::runtime::{
        Agent, ContentPart, Continuity, Image, InvalidKind, InvalidRequest, Message,
        ResponseFormat, Role, RunError, RunEvent, RunOutcome, RunRequest, Sampling, StopReason,
        Tool, ToolArgumentsDelta, ToolCall, ToolCallStart, ToolChoice, Usage,
    };
}
