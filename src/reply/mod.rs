//! Replies: the events and the outcome of a run as the bytes that a client reads.
//!
//! Everything here is pure. A failed run never looks complete: only an outcome
//! produces a finish reason, and a reply that must call a tool shows nothing before
//! the call.

mod arguments;
mod head;
pub mod sse;
mod streamed;
mod tool_choice;
mod whole;

pub use head::{Head, Reasoning};
pub use streamed::StreamedReply;
pub use whole::WholeReply;

#[cfg(test)]
mod tests;
