//! The interface between a gateway and an agent runtime, for both sides.
//!
//! A runtime is a type that implements [`Runtime`]: an async function that carries out a
//! run and sends its events. A gateway reads a run as a stream of [`Step`]s. Both meet in
//! one of two ways:
//!
//! ```text
//! one module:   Runtime ── Run ── joined ──▶ gateway
//! composed:     Runtime ── Run ── joined ── export ──▶ WIT ──▶ import ──▶ gateway
//! ```
//!
//! ```text
//! types      the generated types
//! runtime    Runtime, Embeddings, EventSink, Hold
//! run        Runtime            -> a stream of steps
//! joined     a stream of steps  -> the same events in fewer steps
//! export     a runtime          -> the exported interfaces
//! import     the imported one   -> a stream of steps
//! batch      how many events one read takes
//! timeout    time limits of waits
//! task       the executor of wit-bindgen: when a task gives control back to the host
//! fixtures   values for tests
//! ```

#![deny(unsafe_code)]

#[cfg(any(test, target_family = "wasm"))]
mod batch;
mod bindings;
#[cfg(target_family = "wasm")]
pub mod export;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
#[cfg(target_family = "wasm")]
mod import;
pub mod joined;
mod run;
mod runtime;
mod step;
pub mod task;
#[cfg(target_family = "wasm")]
pub mod timeout;
pub mod types;

#[doc(hidden)]
pub use bindings::{agent_runtime, embedder};
#[cfg(target_family = "wasm")]
pub use import::{ImportedRun, imported};
pub use joined::joined;
pub use run::{Run, run};
pub use runtime::{Embeddings, EventSink, Hold, Runtime};
pub use step::{Ending, Step};
