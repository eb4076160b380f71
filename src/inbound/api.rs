//! The APIs in which clients ask for runs.

/// An API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// `POST /v1/chat/completions`.
    Completions,
    /// `POST /v1/responses`.
    Responses,
}
