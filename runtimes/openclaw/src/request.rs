//! A run request as the HTTP request that carries it out.
//!
//! No header of the client's own comes in here: all are built from the run
//! request and the settings.

mod body;

use crate::settings::Settings;
use crate::types::{InvalidKind, InvalidRequest, RunError, RunRequest};

/// A header's name and value.
pub type Header = (String, Vec<u8>);

/// What this component calls itself.
const USER_AGENT: &str = concat!("tidegate/", env!("CARGO_PKG_VERSION"));

/// An HTTP request to the upstream server.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// What is asked of the server.
    pub operation: Operation,
    /// All headers but those that the host sets.
    pub headers: Vec<Header>,
}

/// What can be asked of the upstream server.
#[derive(Debug, PartialEq, Eq)]
pub enum Operation {
    /// `POST /v1/chat/completions`, with this body.
    Complete(Vec<u8>),
    /// `GET /v1/models`.
    ListModels,
}

impl Operation {
    /// Returns the operation's path below the server's URL.
    #[must_use]
    pub fn path(&self) -> &'static str {
        match self {
            Self::Complete(_) => "/v1/chat/completions",
            Self::ListModels => "/v1/models",
        }
    }
}

impl Request {
    /// Builds the request that carries out a run.
    ///
    /// # Errors
    /// A value that cannot stand in a header, or JSON text that is none.
    pub fn complete(run: &RunRequest, settings: &Settings) -> Result<Self, RunError> {
        let body = body::encode(run, &settings.models)?;
        let mut headers = common_headers(settings, "text/event-stream");
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
            operation: Operation::Complete(body),
            headers,
        })
    }

    /// Builds the request for the list of models.
    #[must_use]
    pub fn list_models(settings: &Settings) -> Self {
        Self {
            operation: Operation::ListModels,
            headers: common_headers(settings, "application/json"),
        }
    }
}

fn common_headers(settings: &Settings, accept: &str) -> Vec<Header> {
    let mut headers = vec![header("accept", accept), header("user-agent", USER_AGENT)];
    headers.extend(settings.token.as_ref().map(|token| {
        let value = format!("Bearer {}", token.expose());
        header("authorization", &value)
    }));
    headers
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
