//! Tidegate, the OpenAI-compatible gateway of an agent runtime.
//!
//! A request passes these stages in this order ([`gateway`]):
//!
//! ```text
//! inbound::route           method, path      -> Endpoint, or a health check
//! config                   the document      -> Settings                404 500
//! exchange                 Settings, origin  -> the response's headers
//! inbound::client_address  headers           -> ClientAddress           403
//! inbound::route           unknown paths, CORS preflights, methods      404 204 405
//! access::throttle         ClientAddress     -> not locked out          429
//! access::auth             credentials       -> Caller                  401
//! access::rate             an API key        -> a permit for a request  429
//! access::permissions      Caller, Endpoint  -> allowed                 403
//! host::incoming           bytes, within the memory budget              408 413 503
//! inbound::body            bytes             -> JSON                    400 413
//! run                      Caller, JSON      -> ValidRun                400 403 404
//! run::embeddings          Caller, JSON      -> ValidEmbeddings         400 403 404
//! access::rate             an API key        -> a permit for a run      429
//! host::runtime            ValidRun          -> the steps of a run      429 502 503 504
//! host::runtime            ValidEmbeddings   -> vectors                 429 502 503 504
//! reply                    steps             -> a document, or events
//! delivery                 steps, silence    -> writes of a streamed reply
//! host::respond            bytes             -> the response
//! ```
//!
//! Only `host` has effects, and only it is specific to WebAssembly. [`error`] turns
//! every failure into a response. The modules are listed in the order of their
//! dependencies: a module uses only modules that follow it.

#![forbid(unsafe_code)]

#[cfg(all(target_family = "wasm", feature = "component"))]
mod host;

pub mod gateway;

pub mod delivery;

pub mod config;
pub mod exchange;

pub mod access_log;
pub mod run_log;

pub mod reply;
pub mod run;

pub mod access;
pub mod agents;
pub mod inbound;

pub mod error;
pub mod openai;
pub mod rejection;
pub mod runtime;
