//! Replies: the events and the outcome of a run, or embeddings, as the bytes that a client
//! reads.
//!
//! ```text
//! head         a run                -> all that its reply depends on besides events
//! ending       how a run ended
//! streamed     a reply in events, of either API
//! whole        a reply in one document, of either API
//! chat         the replies of Chat Completions
//! response     the replies of the Responses API
//! tool_choice  the events that the request's tool choice permits
//! sse          the framing of a stream
//! ```
//!
//! Everything here is pure. A failed run never looks complete: only an outcome
//! produces a finish reason or a completed response, and a reply that must call a tool
//! shows nothing before the call.

mod chat;
mod embeddings;
mod ending;
mod head;
mod response;
pub mod sse;
mod streamed;
mod tool_choice;
mod whole;

pub use chat::{StreamedChat, WholeChat};
pub use embeddings::EmbeddingsReply;
pub use ending::Ending;
pub use head::{Head, Reasoning, ReplyHead, ReplySettings};
pub use response::{FailureCode, ResponseHead, StreamedResponse, WholeResponse};
pub use streamed::{Ended, StreamedReply};
pub use whole::WholeReply;
