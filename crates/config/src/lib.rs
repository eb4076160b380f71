//! The configuration document, of which every Tidegate component reads its own part.
//!
//! ```text
//! source     variable, or file     -> text and variables
//! file       the mounted folder    -> text
//! json5      text                  -> values
//! document   values and variables  -> Document
//! section    Document              -> typed values, and every Fault with its path
//! ```
//!
//! The document has the shape of OpenClaw's `openclaw.json`, with Tidegate's own keys in
//! `tidegate`. Keys and variables of an unread section are not checked. Only `source` and
//! `file` have effects; they are compiled for WebAssembly only.

#![forbid(unsafe_code)]

mod document;
mod duration;
mod fault;
#[cfg(target_family = "wasm")]
mod file;
mod json5;
mod path;
mod secret;
mod section;
#[cfg(target_family = "wasm")]
mod source;
mod value;
pub mod variables;

pub use document::Document;
pub use duration::parse_duration;
pub use fault::{Fault, Faults};
pub use secret::Secret;
pub use section::Section;
#[cfg(target_family = "wasm")]
pub use source::{ignores_file, load};
pub use variables::Variables;
