//! The upstream's stream as a run: its events, and the one ending.
//!
//! A run is whole only if the stream said why it finished and then ended as it
//! should. Everything else is an error, whatever came before: half an answer
//! never passes for a whole one.

use crate::censor::Censor;
use crate::chunk::{Chunk, Malformed, Payload};
use crate::error_object::ErrorObject;
use crate::sse::{Reader, TooLarge};
use crate::tool_calls::{SyntaxError, ToolCalls};
use crate::types::{
    InvalidKind, RunError, RunEvent, RunOutcome, RunRequest, StopReason, ToolChoice, Usage,
};

/// Whether more of the stream is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The end has not come.
    Open,
    /// The stream has said that it ends. What may follow means nothing.
    Done,
}

/// The course of one run.
pub struct Transcript {
    reader: Reader,
    tool_calls: ToolCalls,
    stop: Option<StopReason>,
    usage: Option<Usage>,
    /// Whether a chunk came: OpenClaw sends the first one, which has a role and
    /// no text, when it has accepted the request.
    begun: bool,
    /// Whether anything was told that a client can see.
    told: bool,
    /// Whether the request asked for a call.
    forced: bool,
    /// Whether the request asked for a model of the agent's.
    names_a_model: bool,
    censor: Censor,
}

impl Transcript {
    /// Begins the transcript of a run for `request`.
    #[must_use]
    pub fn new(request: &RunRequest, censor: Censor) -> Self {
        Self {
            reader: Reader::default(),
            tool_calls: ToolCalls::default(),
            stop: None,
            usage: None,
            begun: false,
            told: false,
            forced: match request.tool_choice {
                ToolChoice::Required | ToolChoice::Named(_) => true,
                ToolChoice::Auto | ToolChoice::None => false,
            },
            names_a_model: request.model.is_some(),
            censor,
        }
    }

    /// Reads more of the response's body and adds what it tells to `events`.
    ///
    /// # Errors
    /// The run broke. What was added to `events` has been told all the same.
    pub fn read(
        &mut self,
        mut bytes: &[u8],
        events: &mut Vec<RunEvent>,
    ) -> Result<Progress, RunError> {
        while let Some(event) = self.reader.next_event(&mut bytes)? {
            match Payload::parse(&event)? {
                Some(Payload::Chunk(chunk)) => self.add(chunk, events)?,
                Some(Payload::Error(error)) => return Err(self.broken_by(&error)),
                Some(Payload::Done) => return Ok(Progress::Done),
                None => {}
            }
        }
        Ok(Progress::Open)
    }

    /// Ends the run, after the stream's end mark or a proper end of the body.
    ///
    /// # Errors
    /// The stream ended without having finished.
    pub fn end(self) -> Result<RunOutcome, RunError> {
        let Some(stop) = self.stop else {
            return Err(failed("the stream ended before the answer was finished"));
        };
        if !self.tool_calls.all_begun() {
            return Err(failed("the answer calls a tool without a name"));
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
        if chunk.stop.is_some() {
            self.tool_calls.begin_all(events);
            self.stop = chunk.stop;
        }
        self.usage = chunk.usage.or(self.usage);
        let tells = events.len() > before;
        if !self.begun && !tells {
            events.push(RunEvent::Text(String::new()));
        }
        self.begun = true;
        self.told |= tells;
        Ok(())
    }

    /// Holds the finish reason against the calls that were told.
    fn consistent(&self, stop: StopReason) -> Result<StopReason, RunError> {
        match (stop, self.tool_calls.any_begun()) {
            // For a forced call, OpenAI itself finishes with `stop`; the client
            // has calls to carry out all the same.
            (StopReason::EndTurn, true) => Ok(StopReason::ToolCalls),
            (StopReason::ToolCalls, false) => {
                Err(failed("the answer waits for a tool and calls none"))
            }
            (stop, _) => Ok(stop),
        }
    }

    /// Returns how an error within the stream ends the run.
    fn broken_by(&self, error: &ErrorObject) -> RunError {
        if error.is_any_of(&[
            "rate_limit_error",
            "rate_limit_exceeded",
            "insufficient_quota",
        ]) {
            return RunError::Busy(None);
        }
        // `invalid` says that nothing was run; what was told speaks against it.
        if error.is_any_of(&["invalid_request_error"]) && !self.told {
            return RunError::Invalid(error.invalid_request(self.mistake(error), &self.censor));
        }
        if self.is_unmet_choice(error) {
            return RunError::ToolChoiceUnmet;
        }
        RunError::Failed(error.log_text("the stream has an error", &self.censor))
    }

    /// Tells what kind of mistake an error is that came after the head, where it
    /// would have had a status. A model that does not exist can be told by
    /// OpenClaw's words alone, and only where the request named one.
    fn mistake(&self, error: &ErrorObject) -> InvalidKind {
        let message = error.message.as_deref().unwrap_or_default();
        if self.names_a_model && message.starts_with("Unknown model") {
            InvalidKind::NotFound
        } else {
            InvalidKind::Malformed
        }
    }

    /// Tells whether the error says that no tool was called although one had to
    /// be. OpenClaw gives that error neither a code nor a type of its own: a
    /// provider that fails is an `api_error` too. That the message opens with
    /// the name of the field is all there is to tell them apart, and it counts
    /// only where a call was forced and none was told.
    fn is_unmet_choice(&self, error: &ErrorObject) -> bool {
        let message = error.message.as_deref().unwrap_or_default();
        self.forced
            && !self.tool_calls.any_begun()
            && error.is_any_of(&["api_error"])
            && message.starts_with("tool_choice")
    }
}

impl From<TooLarge> for RunError {
    fn from(TooLarge: TooLarge) -> Self {
        failed("the stream has an event that is larger than 8 MiB")
    }
}

impl From<Malformed> for RunError {
    fn from(Malformed: Malformed) -> Self {
        failed("the stream has an event that is no chunk of an answer")
    }
}

impl From<SyntaxError> for RunError {
    fn from(SyntaxError(problem): SyntaxError) -> Self {
        failed(problem)
    }
}

fn failed(problem: &str) -> RunError {
    RunError::Failed(problem.to_owned())
}

#[cfg(test)]
mod tests;
