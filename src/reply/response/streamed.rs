//! A streamed response: its events, and `[DONE]`.

use crate::error::{Error, ErrorResponse};
use crate::inbound::Holding;
use crate::reply::ending::Ending;
use crate::runtime::{RunError, RunEvent, RunOutcome, ToolChoice};

use super::builder::Builder;
use super::events::Reader;
use super::head::ResponseHead;
use super::memory::Memory;

/// A streamed response under construction. Each method appends bytes to send.
#[derive(Debug)]
pub struct StreamedResponse(Builder);

impl StreamedResponse {
    /// Begins a response, with its part of the memory budget and
    /// with its first events. The events before the number `first` are left out.
    pub fn start(
        head: ResponseHead,
        choice: &ToolChoice,
        holding: Holding,
        first: u64,
        out: &mut Vec<u8>,
    ) -> Self {
        let memory = Memory::new(head.limit, holding);
        let mut builder = Builder::new(head, choice, Reader::Client, memory);
        builder.begin_at(first);
        builder.start(out);
        Self(builder)
    }

    /// Appends an event of the run.
    ///
    /// # Errors
    /// An event that violates the tool choice, arguments of a call that has ended, and a
    /// response that uses too much memory. The run has then failed.
    pub fn event(&mut self, event: RunEvent, out: &mut Vec<u8>) -> Result<(), RunError> {
        self.0.event(event, out)
    }

    /// Appends the response so far.
    pub fn progress(&mut self, out: &mut Vec<u8>) {
        self.0.progress(out);
    }

    /// Appends the end of the response, and returns it with the response's part of the memory
    /// budget. `now` returns the time, in seconds since 1970.
    ///
    /// The last event is `response.completed`, `response.incomplete` or `response.failed`.
    pub fn end(
        self,
        ending: Ending,
        now: impl FnOnce() -> u64,
        out: &mut Vec<u8>,
    ) -> (Result<Option<RunOutcome>, Box<ErrorResponse>>, Holding) {
        let Self(mut builder) = self;
        let result = match builder.end(ending, now, out) {
            Ok((outcome, state)) => {
                builder.finish(&state, out);
                Ok(outcome)
            }
            Err(error) => {
                let response = ErrorResponse::from(Error::Run(error.clone()));
                let state = builder.failed(&error, &response);
                builder.finish(&state, out);
                Err(Box::new(response))
            }
        };
        (result, builder.into_holding())
    }
}
