//! The wire format of OpenAI's Chat Completions API.
//!
//! Types carry the names of OpenAI's own SDKs.

pub mod completion;
pub mod error;
pub mod model;
pub mod request;
pub mod responses;
