//! The replies of Chat Completions.
//!
//! ```text
//! streamed  events, outcome -> chunks, finish reason, usage
//! whole     events, outcome -> one document
//! ```

mod arguments;
mod streamed;
mod whole;

pub use streamed::StreamedChat;
pub use whole::WholeChat;

#[cfg(test)]
mod tests;
