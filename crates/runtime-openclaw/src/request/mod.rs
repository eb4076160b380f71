//! The HTTP requests of runs and of embeddings.
//!
//! All headers come from the run request and the settings. No header of the client is
//! forwarded.

mod body;
mod embeddings;
mod images;
mod invalid;
mod message;
mod size;
mod tool;

use tidegate_config::Secret;

use crate::models::Models;
use crate::types::{Authority, EmbeddingsRequest, RunError, RunRequest};

use invalid::malformed;

/// A header's name and value.
pub type Header = (String, Vec<u8>);

const AUTHORIZATION: &str = "authorization";

/// The value of `User-Agent`.
const USER_AGENT: &str = concat!("tidegate/", env!("CARGO_PKG_VERSION"));

/// An HTTP request to a backend.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// The operation.
    pub operation: Operation,
    /// All headers except those that the host sets.
    pub headers: Vec<Header>,
    /// The body, if there is one.
    pub body: Option<Vec<u8>>,
}

/// An operation of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `POST /v1/chat/completions`.
    Complete,
    /// `GET /v1/models`.
    ListModels,
    /// `POST /v1/embeddings`.
    Embed,
}

impl Operation {
    /// Returns the path, relative to the backend's URL.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Complete => "/v1/chat/completions",
            Self::ListModels => "/v1/models",
            Self::Embed => "/v1/embeddings",
        }
    }
}

impl Request {
    /// Builds the request that carries out a run.
    ///
    /// # Errors
    /// A value that a header cannot contain, and invalid JSON.
    pub fn complete(run: &RunRequest, models: &Models) -> Result<Self, RunError> {
        let body = body::encode(run, models)?;
        let mut headers = Vec::from(common_headers("text/event-stream"));
        headers.extend([
            header("content-type", "application/json"),
            header("content-length", &body.len().to_string()),
            header("x-openclaw-agent-id", &run.agent),
            header("x-openclaw-session-key", &run.session),
        ]);
        headers.extend(present([
            (
                "x-openclaw-scopes",
                &scopes(run.authority, &run.agent, models),
            ),
            ("x-openclaw-message-channel", &run.channel),
            ("x-openclaw-model", &run.model),
            ("traceparent", &run.traceparent),
        ]));
        check_values(&headers)?;
        Ok(Self {
            operation: Operation::Complete,
            headers,
            body: Some(body),
        })
    }

    /// Builds the request for embeddings.
    ///
    /// # Errors
    /// A value that a header cannot contain.
    pub fn embed(request: &EmbeddingsRequest, models: &Models) -> Result<Self, RunError> {
        let body = embeddings::encode(request, models)?;
        let mut headers = Vec::from(common_headers("application/json"));
        headers.extend([
            header("content-type", "application/json"),
            header("content-length", &body.len().to_string()),
            header("x-openclaw-agent-id", &request.agent),
        ]);
        let scopes = scopes(request.authority, &request.agent, models);
        headers.extend(present([
            ("x-openclaw-scopes", &scopes),
            ("x-openclaw-model", &request.model),
            ("traceparent", &request.traceparent),
        ]));
        check_values(&headers)?;
        Ok(Self {
            operation: Operation::Embed,
            headers,
            body: Some(body),
        })
    }

    /// Sets the credential, and replaces any other.
    pub fn authorize(&mut self, token: Option<&Secret>) {
        self.headers.retain(|(name, _)| name != AUTHORIZATION);
        if let Some(token) = token {
            let value = ["Bearer ", token.expose()].concat();
            self.headers.push(header(AUTHORIZATION, &value));
        }
    }

    /// Builds a request for a run without messages, which no server carries out.
    #[must_use]
    pub fn without_messages() -> Self {
        let body = b"{}".to_vec();
        let mut headers = Vec::from(common_headers("application/json"));
        headers.extend([
            header("content-type", "application/json"),
            header("content-length", &body.len().to_string()),
        ]);
        Self {
            operation: Operation::Complete,
            headers,
            body: Some(body),
        }
    }

    /// Builds the request for the list of models.
    #[must_use]
    pub fn list_models() -> Self {
        Self {
            operation: Operation::ListModels,
            headers: Vec::from(common_headers("application/json")),
            body: None,
        }
    }
}

/// Returns the headers that have a value.
fn present<const N: usize>(
    optional: [(&'static str, &Option<String>); N],
) -> impl Iterator<Item = Header> {
    let headers = optional.into_iter();
    headers.filter_map(|(name, value)| Some(header(name, value.as_ref()?)))
}

/// Returns the scopes of a request that is not the owner's. OpenClaw applies them where it trusts
/// this component as a proxy or needs no credential, and ignores them with a token.
fn scopes(authority: Authority, agent: &str, models: &Models) -> Option<String> {
    match authority {
        Authority::Restricted if models.are_openclaws(agent) => {}
        Authority::Restricted | Authority::Owner => return None,
    }
    // Not `operator.admin`, although OpenClaw requires it for `x-openclaw-model`: it would make
    // the run the owner's.
    Some("operator.write".to_owned())
}

fn common_headers(accept: &str) -> [Header; 2] {
    [header("accept", accept), header("user-agent", USER_AGENT)]
}

fn header(name: &str, value: &str) -> Header {
    (name.to_owned(), value.as_bytes().to_vec())
}

/// Rejects control characters, which could end a header and begin another.
fn check_values(headers: &[Header]) -> Result<(), RunError> {
    let is_control = |value: &[u8]| value.iter().any(u8::is_ascii_control);
    match headers.iter().find(|(_, value)| is_control(value)) {
        Some((name, _)) => Err(malformed(&format!(
            "The header `{name}` cannot contain a value of the request."
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod tests;
