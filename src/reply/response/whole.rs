//! A response in one JSON document, at the end of the run.

use crate::error::{Error, ErrorResponse};
use crate::inbound::Holding;
use crate::runtime::{RunError, RunEvent, RunOutcome, ToolChoice};

use crate::reply::ending::Ending;

use super::builder::{Builder, State};
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
        let (outcome, state) = builder.end(ended.into(), now, &mut Vec::new())?;
        let outcome = outcome.ok_or(Error::Internal("a whole reply cannot be cancelled"))?;
        let body = serde_json::to_vec(&builder.response(&state))
            .map_err(|_| Error::Internal("encoding the reply"))?;
        Ok((body, outcome, builder.into_holding()))
    }

    /// Returns the response as it is: its run has ended at a time, in seconds since 1970, or has
    /// not ended. Unlike [`Self::end`], a run that failed has a response.
    ///
    /// # Errors
    /// A response that cannot be encoded.
    pub fn snapshot(self, ended: Option<(Ending, u64)>) -> Result<(Vec<u8>, Holding), Error> {
        let Self(mut builder) = self;
        let body = match ended {
            None => serde_json::to_vec(&builder.response(&State::InProgress)),
            Some((ending, at)) => match builder.end(ending, || at, &mut Vec::new()) {
                Ok((_, state)) => serde_json::to_vec(&builder.response(&state)),
                Err(error) => {
                    let response = ErrorResponse::from(Error::Run(error.clone()));
                    let state = builder.failed(&error, &response);
                    serde_json::to_vec(&builder.response(&state))
                }
            },
        };
        let body = body.map_err(|_| Error::Internal("encoding the reply"))?;
        Ok((body, builder.into_holding()))
    }
}
