//! A whole reply of either API.

use crate::error::Error;
use crate::inbound::Holding;
use crate::runtime::{RunError, RunEvent, RunOutcome};

use super::chat::WholeChat;
use super::ending::Ending;
use super::response::WholeResponse;

/// A whole reply under construction.
#[derive(Debug)]
pub enum WholeReply {
    /// A chat completion.
    Chat(Box<WholeChat>),
    /// A response.
    Response(Box<WholeResponse>),
}

impl WholeReply {
    /// Adds an event of the run.
    ///
    /// # Errors
    /// An event that the reply cannot have. The run has then failed.
    pub fn event(&mut self, event: RunEvent) -> Result<(), RunError> {
        match self {
            Self::Chat(chat) => chat.event(event),
            Self::Response(response) => response.event(event),
        }
    }

    /// Ends the reply and returns its JSON document with the outcome, and with its part of the
    /// memory budget. `now` returns the time, in seconds since 1970.
    ///
    /// # Errors
    /// The run's own error, and a run without the required tool call.
    pub fn end(
        self,
        ending: Ending,
        now: impl FnOnce() -> u64,
    ) -> Result<(Vec<u8>, RunOutcome, Holding), Error> {
        match self {
            Self::Chat(chat) => chat.end(ending.into_result()),
            Self::Response(response) => response.end(ending.into_result(), now),
        }
    }
}

impl From<WholeChat> for WholeReply {
    fn from(chat: WholeChat) -> Self {
        Self::Chat(Box::new(chat))
    }
}

impl From<WholeResponse> for WholeReply {
    fn from(response: WholeResponse) -> Self {
        Self::Response(Box::new(response))
    }
}
