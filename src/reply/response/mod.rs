//! The replies of the Responses API.
//!
//! ```text
//! streamed, whole  bytes of the builder's events, or its last response
//! builder          events, outcome       -> items, events of the stream, the response
//! output           items in their order  -> one open item at a time
//! item             texts                 -> the events of one item
//! call             arguments             -> the text that the client reads
//! custom_input     the JSON of a custom tool's arguments -> raw text
//! json_end         JSON in parts         -> the end of the value
//! unescape         a JSON string in parts -> its text
//! ```

mod builder;
mod call;
mod custom_input;
mod events;
mod head;
mod item;
mod json_end;
mod memory;
mod output;
mod streamed;
mod unescape;
mod whole;

pub use head::{FailureCode, ResponseHead};
pub use streamed::StreamedResponse;
pub use whole::WholeResponse;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
