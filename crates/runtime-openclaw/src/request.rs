//! A run request as the HTTP request that carries it out.
//!
//! No header of the client's own comes in here: all are built from the run
//! request and the settings.

mod body;

use tidegate_config::Secret;

use crate::models::Models;
use crate::types::{InvalidKind, InvalidRequest, RunError, RunRequest};

/// A header's name and value.
pub type Header = (String, Vec<u8>);

const AUTHORIZATION: &str = "authorization";

/// What this component calls itself.
const USER_AGENT: &str = concat!("tidegate/", env!("CARGO_PKG_VERSION"));

/// An HTTP request to an upstream server.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// What is asked of the server.
    pub operation: Operation,
    /// All headers but those that the host sets.
    pub headers: Vec<Header>,
    /// The body, if there is one.
    pub body: Option<Vec<u8>>,
}

/// What can be asked of an upstream server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `POST /v1/chat/completions`.
    Complete,
    /// `GET /v1/models`.
    ListModels,
}

impl Operation {
    /// Returns the operation's path below the server's URL.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Complete => "/v1/chat/completions",
            Self::ListModels => "/v1/models",
        }
    }
}

impl Request {
    /// Builds the request that carries out a run.
    ///
    /// # Errors
    /// A value that cannot stand in a header, or JSON text that is none.
    pub fn complete(run: &RunRequest, models: &Models) -> Result<Self, RunError> {
        let body = body::encode(run, models)?;
        let mut headers = Vec::from(common_headers("text/event-stream"));
        headers.extend([
            header("content-type", "application/json"),
            header("content-length", &body.len().to_string()),
            header("x-openclaw-agent-id", &run.agent),
            header("x-openclaw-session-key", &run.session),
        ]);
        let optional = [
            ("x-openclaw-message-channel", &run.channel),
            ("x-openclaw-model", &run.model),
            ("traceparent", &run.traceparent),
        ];
        headers.extend(
            optional
                .into_iter()
                .filter_map(|(name, value)| Some(header(name, value.as_ref()?))),
        );
        check_values(&headers)?;
        Ok(Self {
            operation: Operation::Complete,
            headers,
            body: Some(body),
        })
    }

    /// Sets what the server is authorized with, in the place of any other.
    pub fn authorize(&mut self, token: Option<&Secret>) {
        self.headers.retain(|(name, _)| name != AUTHORIZATION);
        if let Some(token) = token {
            let value = ["Bearer ", token.expose()].concat();
            self.headers.push(header(AUTHORIZATION, &value));
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

fn common_headers(accept: &str) -> [Header; 2] {
    [header("accept", accept), header("user-agent", USER_AGENT)]
}

fn header(name: &str, value: &str) -> Header {
    (name.to_owned(), value.as_bytes().to_vec())
}

/// Refuses control characters, which could end a header and begin another.
fn check_values(headers: &[Header]) -> Result<(), RunError> {
    let is_control = |value: &[u8]| value.iter().any(u8::is_ascii_control);
    match headers.iter().find(|(_, value)| is_control(value)) {
        Some((name, _)) => Err(malformed(&format!(
            "A value of the request cannot stand in the header `{name}`."
        ))),
        None => Ok(()),
    }
}

fn malformed(message: &str) -> RunError {
    RunError::Invalid(InvalidRequest {
        kind: InvalidKind::Malformed,
        message: message.to_owned(),
        param: None,
        code: None,
    })
}

#[cfg(test)]
pub(crate) mod tests;
