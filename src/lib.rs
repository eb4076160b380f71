//! The OpenAI-compatible front door of an agent runtime.
//!
//! ```text
//! config     the document, once an instance  -> Settings               500
//! proxies    headers                         -> Sender                 403
//! route      method and path                 -> Route                  404 405
//! auth       headers + Sender                -> Caller                 401
//! throttle   Sender + counters               -> yes or not now         429
//! rate       Caller's key + counters         -> yes or not now         429
//! access     Caller + what it asks for       -> yes or no              403 404
//! body       bytes (at most 20 MiB)          -> text                   408 413
//! openai     text                            -> ChatCompletionRequest  400
//! validate   Caller + ChatCompletionRequest  -> ValidRun               400
//! runtime    ValidRun                        -> steps of the run       429 502 503 504
//! reply      steps                           -> JSON, or events (sse)
//! respond    bytes                           -> response
//! ```
//!
//! Every arrow is a function whose result is the next one's argument. All but
//! the configuration's source, the counters and the runtime are pure; `gateway`,
//! `admission`, `delivery`, `respond`, `store` and `wire` bind them to the host
//! and are compiled for WebAssembly only. `error` turns every failure into its
//! answer.

#![forbid(unsafe_code)]

pub mod access;
pub mod agent;
pub mod auth;
pub mod body;
pub mod config;
pub mod cors;
pub mod counters;
pub mod error;
pub mod exchange;
pub mod headers;
pub mod hex;
pub mod key;
pub mod models;
pub mod network;
pub mod openai;
pub mod proxies;
pub mod rate;
pub mod record;
pub mod rejection;
pub mod reply;
pub mod route;
pub mod runtime;
pub mod session;
pub mod sse;
pub mod throttle;
pub mod validate;

#[cfg(target_family = "wasm")]
mod admission;
#[cfg(target_family = "wasm")]
mod delivery;
#[cfg(target_family = "wasm")]
mod gateway;
#[cfg(target_family = "wasm")]
mod respond;
#[cfg(target_family = "wasm")]
mod store;
#[cfg(target_family = "wasm")]
mod wire;
