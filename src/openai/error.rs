//! The error object of every failed request.
//!
//! Source: OpenAI's API reference, "Error codes"; `ErrorObject` of its SDKs.

use serde::Serialize;

/// The body of an error response: `{"error": {…}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorDocument {
    /// The error object.
    pub error: ErrorObject,
}

/// The error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorObject {
    /// A sentence for people.
    pub message: String,
    /// The kind of error, as in OpenAI's and OpenClaw's APIs.
    pub r#type: &'static str,
    /// The member or header at fault, if there is one.
    pub param: Option<String>,
    /// A code by which programs recognize the error, if there is one.
    pub code: Option<String>,
}
