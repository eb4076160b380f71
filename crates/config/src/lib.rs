//! The configuration document that every Tidegate component reads its part of.
//!
//! ```text
//! source    variables, or the file  -> text and variables
//! file      what the host mounts    -> text
//! json5     text                    -> a tree of values
//! document  JSON5 and ${NAME}       -> Document
//! section   Document                -> typed values, every Fault with its path
//! ```
//!
//! The shape is OpenClaw's `openclaw.json`; what is Tidegate's own stands under
//! `tidegate`. A section that nobody reads is not looked at: neither its keys
//! nor its variables can be at fault. Of these, `source` and `file` alone have
//! effects; they are compiled for WebAssembly only.

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

pub use document::{Document, Variables};
pub use duration::parse_duration;
pub use fault::{Fault, Faults};
pub use secret::Secret;
pub use section::Section;
#[cfg(target_family = "wasm")]
pub use source::load;
