//! A response in one JSON document, at the end of the run.

use crate::error::Error;
use crate::inbound::Holding;
use crate::runtime::{RunError, RunEvent, RunOutcome, ToolChoice};

use super::builder::Builder;
use super::events::Reader;
use super::head::ResponseHead;
use super::memory::Memory;

/// A whole response under construction.
#[derive(Debug)]
pub struct WholeResponse(Builder);

impl WholeResponse {
    /// Begins a response, with its part of the memory budget.
    #[must_use]
    pub fn new(head: ResponseHead, choice: &ToolChoice, holding: Holding) -> Self {
        let memory = Memory::new(head.limit, holding);
        Self(Builder::new(head, choice, Reader::Nothing, memory))
    }

    /// Adds an event of the run.
    ///
    /// # Errors
    /// An event that violates the tool choice, arguments of a call that has ended, and a
    /// response that uses too much memory. The run has then failed.
    pub fn event(&mut self, event: RunEvent) -> Result<(), RunError> {
        self.0.event(event, &mut Vec::new())
    }

    /// Ends the response and returns its JSON document with the outcome, and with its part of
    /// the memory budget. `now` returns the time, in seconds since 1970.
    ///
    /// # Errors
    /// The run's own error, and a run without the required tool call.
    pub fn end(
        self,
        ended: Result<RunOutcome, RunError>,
        now: impl FnOnce() -> u64,
    ) -> Result<(Vec<u8>, RunOutcome, Holding), Error> {
        let Self(mut builder) = self;
        let (outcome, state) = builder.end(ended, now, &mut Vec::new())?;
        let body = serde_json::to_vec(&builder.response(&state))
            .map_err(|_| Error::Internal("encoding the reply"))?;
        Ok((body, outcome, builder.into_holding()))
    }
}
