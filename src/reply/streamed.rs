//! A streamed reply of either API.

use crate::error::ErrorResponse;
use crate::inbound::Holding;
use crate::runtime::{RunError, RunEvent, RunOutcome};

use super::chat::StreamedChat;
use super::ending::Ending;
use super::response::StreamedResponse;

/// A streamed reply under construction. Each method appends bytes to send.
#[derive(Debug)]
pub enum StreamedReply {
    /// A chat completion.
    Chat(StreamedChat),
    /// A response.
    Response(Box<StreamedResponse>),
}

/// The end of a streamed reply.
#[derive(Debug)]
pub struct Ended {
    /// The outcome unless the run was cancelled, or the error that the reply ends with, for
    /// the access log.
    pub result: Result<Option<RunOutcome>, Box<ErrorResponse>>,
    /// The reply's part of the memory budget, until its last bytes are sent.
    pub memory: Option<Holding>,
}

impl StreamedReply {
    /// Appends an event of the run.
    ///
    /// # Errors
    /// An event that the reply cannot have. The run has then failed.
    pub fn event(&mut self, event: RunEvent, out: &mut Vec<u8>) -> Result<(), RunError> {
        match self {
            Self::Chat(chat) => chat.event(event, out),
            Self::Response(response) => response.event(event, out),
        }
    }

    /// Returns whether the API has an event for a client that waits for one.
    #[must_use]
    pub fn has_progress(&self) -> bool {
        match self {
            Self::Chat(_) => false,
            Self::Response(_) => true,
        }
    }

    /// Appends an event for a client that waits for one. Chat Completions has no such event.
    pub fn progress(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Chat(_) => {}
            Self::Response(response) => response.progress(out),
        }
    }

    /// Appends the end of the reply. `now` returns the time, in seconds since 1970.
    pub fn end(self, ending: Ending, now: impl FnOnce() -> u64, out: &mut Vec<u8>) -> Ended {
        match self {
            Self::Chat(chat) => Ended {
                result: chat.end(ending.into_result(), out).map(Some),
                memory: None,
            },
            Self::Response(response) => {
                let (result, memory) = response.end(ending, now, out);
                let memory = Some(memory);
                Ended { result, memory }
            }
        }
    }
}

impl From<StreamedChat> for StreamedReply {
    fn from(chat: StreamedChat) -> Self {
        Self::Chat(chat)
    }
}

impl From<StreamedResponse> for StreamedReply {
    fn from(response: StreamedResponse) -> Self {
        Self::Response(Box::new(response))
    }
}
