//! Decodes a backend's stream into the events and the outcome of a run.
//!
//! A run succeeds only if the stream has a finish reason and then ends properly. Everything
//! else is an error, so an incomplete reply never looks complete.

use crate::chunk::{Chunk, Malformed, Payload, UnknownReason};
use crate::error_object::ErrorObject;
use crate::redactor::Redactor;
use crate::sse::{Reader, TooLarge};
use crate::tool_calls::{InvalidToolCalls, ToolCalls};
use crate::types::{
    InvalidKind, RunError, RunEvent, RunOutcome, RunRequest, StopReason, ToolChoice, Usage,
};

/// The maximum length of an unknown finish reason in the log, in characters.
const REASON_LIMIT: usize = 64;

/// Whether the stream continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The end mark has not arrived.
    Open,
    /// The end mark has arrived. Later bytes are ignored.
    Done,
}

/// The decoder of one run.
pub struct RunDecoder {
    reader: Reader,
    tool_calls: ToolCalls,
    stop: Option<StopReason>,
    usage: Option<Usage>,
    /// Whether a chunk has arrived. OpenClaw sends the first one, with a role and no text,
    /// when it accepts the request.
    has_begun: bool,
    /// Whether a client can see any event.
    is_visible: bool,
    /// Whether the request requires a tool call.
    requires_call: bool,
    /// Whether the request overrides the agent's model.
    overrides_model: bool,
    redactor: Redactor,
}

impl RunDecoder {
    /// Makes the decoder of a run.
    #[must_use]
    pub fn new(request: &RunRequest, redactor: Redactor) -> Self {
        Self {
            reader: Reader::default(),
            tool_calls: ToolCalls::default(),
            stop: None,
            usage: None,
            has_begun: false,
            is_visible: false,
            requires_call: match request.tool_choice {
                ToolChoice::Required | ToolChoice::Named(_) => true,
                ToolChoice::Auto | ToolChoice::None => false,
            },
            overrides_model: request.model.is_some(),
            redactor,
        }
    }

    /// Decodes more bytes of the body and appends their events.
    ///
    /// # Errors
    /// The run failed. The events appended before the failure are valid.
    pub fn read(
        &mut self,
        mut bytes: &[u8],
        events: &mut Vec<RunEvent>,
    ) -> Result<Progress, RunError> {
        while let Some(event) = self.reader.next_event(&mut bytes)? {
            match Payload::parse(&event)? {
                Some(Payload::Chunk(chunk)) => self.add(chunk, events)?,
                Some(Payload::Error(error)) => return Err(self.failed_by(&error)),
                Some(Payload::Done) => return Ok(Progress::Done),
                None => {}
            }
        }
        Ok(Progress::Open)
    }

    /// Ends the run after the end mark or the end of the body.
    ///
    /// # Errors
    /// The stream has no finish reason, or the tool calls are incomplete.
    pub fn end(self) -> Result<RunOutcome, RunError> {
        let Some(stop) = self.stop else {
            return Err(failed("the stream ended without a finish reason"));
        };
        if !self.tool_calls.all_begun() {
            return Err(failed("a tool call has no name"));
        }
        Ok(RunOutcome {
            stop_reason: self.consistent(stop)?,
            usage: self.usage,
        })
    }

    fn add(&mut self, chunk: Chunk, events: &mut Vec<RunEvent>) -> Result<(), RunError> {
        let before = events.len();
        events.extend(chunk.reasoning.map(RunEvent::Reasoning));
        events.extend(chunk.text.map(RunEvent::Text));
        for delta in chunk.tool_calls {
            self.tool_calls.add(delta, events)?;
        }
        if let Some(stop) = chunk.stop {
            self.tool_calls.begin_all(events);
            self.stop = Some(stop.map_err(|reason| self.unknown_end(&reason))?);
        }
        self.usage = chunk.usage.or(self.usage);
        let is_visible = events.len() > before;
        if !self.has_begun && !is_visible {
            events.push(RunEvent::Text(String::new()));
        }
        self.has_begun = true;
        self.is_visible |= is_visible;
        Ok(())
    }

    /// Checks the finish reason against the tool calls.
    fn consistent(&self, stop: StopReason) -> Result<StopReason, RunError> {
        match (stop, self.tool_calls.any_begun()) {
            // OpenAI finishes a required call with `stop`. The client must still execute
            // the calls.
            (StopReason::EndTurn, true) => Ok(StopReason::ToolCalls),
            (StopReason::ToolCalls, false) => Err(failed(
                "the finish reason is `tool_calls`, but there are no calls",
            )),
            (stop, _) => Ok(stop),
        }
    }

    /// Servers name failures, too, as finish reasons: `error`, `abort` …
    fn unknown_end(&self, reason: &UnknownReason) -> RunError {
        let reason = self.redactor.clean(&reason.0, REASON_LIMIT);
        failed(&format!("the reply ended for an unknown reason: {reason}"))
    }

    /// Returns the run error of an error event.
    fn failed_by(&self, error: &ErrorObject) -> RunError {
        if error.is_any_of(&[
            "rate_limit_error",
            "rate_limit_exceeded",
            "insufficient_quota",
        ]) {
            return RunError::Busy(None);
        }
        if error.is_about_keys() {
            return RunError::Failed(
                error.log_text("the backend's own credential is rejected", &self.redactor),
            );
        }
        // `invalid` means that no run began, which visible events contradict.
        if error.is_any_of(&["invalid_request_error"]) && !self.is_visible {
            return RunError::Invalid(
                error.invalid_request(self.invalid_kind(error), &self.redactor),
            );
        }
        if self.is_unmet_choice(error) {
            return RunError::ToolChoiceUnmet;
        }
        RunError::Failed(error.log_text("the stream has an error", &self.redactor))
    }

    /// Returns the kind of fault of an error event, which has no status. OpenClaw's message is
    /// the only sign of an unknown model, and it counts only if the request overrides the
    /// model.
    fn invalid_kind(&self, error: &ErrorObject) -> InvalidKind {
        let message = error.message.as_deref().unwrap_or_default();
        if self.overrides_model && message.starts_with("Unknown model") {
            InvalidKind::NotFound
        } else {
            InvalidKind::Malformed
        }
    }

    /// Returns whether the error means that the agent did not call the required tool. The
    /// error of OpenClaw has no code or type of its own: a failing provider is an `api_error`
    /// too. Only the beginning of the message distinguishes them, and it counts only if the
    /// request requires a call and no call has begun.
    fn is_unmet_choice(&self, error: &ErrorObject) -> bool {
        let message = error.message.as_deref().unwrap_or_default();
        self.requires_call
            && !self.tool_calls.any_begun()
            && error.is_any_of(&["api_error"])
            && message.starts_with("tool_choice")
    }
}

impl From<TooLarge> for RunError {
    fn from(TooLarge: TooLarge) -> Self {
        failed("the stream has an event of more than 8 MiB")
    }
}

impl From<Malformed> for RunError {
    fn from(Malformed: Malformed) -> Self {
        failed("the stream has an invalid event")
    }
}

impl From<InvalidToolCalls> for RunError {
    fn from(InvalidToolCalls(problem): InvalidToolCalls) -> Self {
        failed(problem)
    }
}

fn failed(problem: &str) -> RunError {
    RunError::Failed(problem.to_owned())
}

#[cfg(test)]
mod tests;
