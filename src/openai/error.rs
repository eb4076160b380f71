//! The error object that every failed call is answered with.
//!
//! Source: OpenAI's API reference, "Error codes"; `ErrorObject` of its SDKs.

use serde::Serialize;

/// An error document: `{"error": {…}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorDocument {
    /// The error itself.
    pub error: ErrorObject,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorObject {
    /// A sentence for people.
    pub message: String,
    /// The kind of error, a word of the reference's.
    pub r#type: &'static str,
    /// The member of the request that is meant, if one is.
    pub param: Option<String>,
    /// A word for programs to tell this error by, if there is one.
    pub code: Option<String>,
}
