//! The members of a response that its run does not change.

use memchr::memchr2;
use serde::{Deserialize, Serialize};
use tidegate_json::{RawValue, without_whitespace};
use uuid::Uuid;

use crate::error::{ErrorResponse, Retry};
use crate::openai::responses::{Echo, ResponseErrorCode};
use crate::reply::head::Reasoning;
use crate::run::ToolNames;
use crate::runtime::RunError;

/// The head of a response.
#[derive(Debug, Serialize, Deserialize)]
pub struct ResponseHead {
    /// The id of the response.
    pub id: String,
    /// The id of the run. The ids of the items begin with it.
    pub run: Uuid,
    /// The time at which the run began, in seconds since 1970.
    pub created: u64,
    /// The `model` of the request.
    pub model: String,
    /// Whether the response shows the agent's reasoning.
    pub reasoning: Reasoning,
    /// The members of the request that the response repeats.
    pub echo: Echo,
    /// The client's names of its tools.
    pub names: ToolNames,
    /// Whether the client can get the response again.
    pub store: bool,
    /// Whether the run does not depend on the connection.
    pub background: bool,
    /// The maximum size of what the response says, in bytes.
    pub limit: usize,
    /// The code of a run that failed after it may have begun.
    pub failure: FailureCode,
}

/// The code of a run that failed after it may have begun.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureCode {
    /// `server_error`.
    #[default]
    ServerError,
    /// `invalid_prompt`, for clients that repeat a request after any other code. A run is not
    /// idempotent.
    InvalidPrompt,
}

impl FailureCode {
    /// Returns the code of an error.
    pub(super) fn of(self, error: &RunError, response: &ErrorResponse) -> ResponseErrorCode {
        let may_have_begun = response.retry == Retry::Never;
        if may_have_begun && self == Self::InvalidPrompt {
            return ResponseErrorCode::InvalidPrompt;
        }
        match error {
            RunError::Invalid(_) => ResponseErrorCode::InvalidPrompt,
            RunError::Busy(_) => ResponseErrorCode::RateLimitExceeded,
            RunError::UnknownAgent
            | RunError::Unavailable(_)
            | RunError::Unreachable(_)
            | RunError::Denied(_)
            | RunError::Misconfigured(_)
            | RunError::TimedOut(_)
            | RunError::ToolChoiceUnmet
            | RunError::Failed(_) => ResponseErrorCode::ServerError,
        }
    }
}

impl ResponseHead {
    /// Returns the size of what the response repeats, in bytes.
    pub(super) fn size(&self) -> usize {
        let Echo {
            instructions,
            metadata,
            text,
            tool_choice,
            tools,
            ..
        } = &self.echo;
        let json = [metadata, text, tool_choice, tools];
        let json: usize = json.iter().map(|json| json.get().len()).sum();
        json + instructions.as_deref().map_or(0, str::len)
    }

    /// Puts the JSON of the client on one line each. A line break would end the data of an
    /// event.
    pub(super) fn on_one_line(mut self) -> Self {
        let Echo {
            metadata,
            text,
            tool_choice,
            tools,
            ..
        } = &mut self.echo;
        for json in [metadata, text, tool_choice, tools] {
            remove_line_breaks(json);
        }
        self
    }
}

fn remove_line_breaks(json: &mut Box<RawValue>) {
    if memchr2(b'\n', b'\r', json.get().as_bytes()).is_none() {
        return;
    }
    // Text without the white space between its tokens is the same JSON.
    if let Ok(line) = RawValue::from_string(without_whitespace(json)) {
        *json = line;
    }
}
