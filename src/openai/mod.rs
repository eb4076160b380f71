//! The wire format of OpenAI's Chat Completions and Embeddings APIs.
//!
//! Types carry the names of OpenAI's own SDKs.

pub mod completion;
pub mod embeddings;
pub mod error;
pub mod model;
pub mod request;
pub mod responses;
