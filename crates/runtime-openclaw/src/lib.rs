//! A runtime that carries out runs with OpenClaw, or with another server that has OpenAI's
//! `POST /v1/chat/completions`. It always requests a stream. Embeddings are one request to
//! `POST /v1/embeddings`.
//!
//! ```text
//!  run-request
//!      | settings     configuration document    -> Settings
//!      | request      RunRequest                -> headers and JSON body
//!      | rendezvous   session, backends         -> scores
//!      | pool         scores, availability      -> the route of the request
//!      v                              ----- effects ---------------------------
//!  runtime ── instance ── client ──▶ wasi:http/client ──▶ the backends
//!      v                              ----- pure again below ------------------
//!      | response     status, headers, body     -> continue, or RunError
//!      | sse          bytes, split anywhere     -> Event
//!      | chunk        Event                     -> text, calls, finish, error
//!      | tool_calls   deltas                    -> calls 0, 1, 2 …
//!      | run_decoder  all of these, in order    -> RunEvent*, then the outcome
//!      | embeddings   a whole body              -> the vectors
//!      v
//!  the events and the outcome of the run
//! ```
//!
//! Only some headers, which other servers ignore, and the default model names
//! (`openclaw/<agent>`) are specific to OpenClaw.

pub mod availability;
pub mod backend;
pub mod backoff_state;
pub mod chunk;
#[cfg(target_family = "wasm")]
mod client;
pub mod embeddings;
pub mod endpoint;
pub mod error_object;
#[cfg(target_family = "wasm")]
mod instance;
pub mod models;
pub mod pool;
pub mod probe;
pub mod redactor;
pub mod rendezvous;
pub mod request;
pub mod response;
pub mod run_decoder;
#[cfg(target_family = "wasm")]
mod runtime;
pub mod settings;
pub mod sse;
#[cfg(target_family = "wasm")]
mod store;
pub mod tool_calls;
pub mod transport;

#[cfg(target_family = "wasm")]
pub use runtime::OpenClaw;
use tidegate_agent::types;

#[cfg(all(target_family = "wasm", feature = "component"))]
tidegate_agent::export!(OpenClaw, with embeddings);
