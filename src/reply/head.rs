//! All that a reply depends on besides the events of its run.

use serde::{Deserialize, Serialize};

use crate::inbound::Holding;
use crate::run::{Client, Mode, ReplyForm, ResponseForm, ValidRun};
use crate::runtime::ToolChoice;

use super::chat::{StreamedChat, WholeChat};
use super::response::{FailureCode, ResponseHead, StreamedResponse, WholeResponse};
use super::streamed::StreamedReply;
use super::whole::WholeReply;

/// All that a reply depends on besides the events of its run. Replies with the same head and
/// the same events are the same.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReplyHead {
    mode: Mode,
    choice: ToolChoice,
    api: ApiHead,
}

/// What depends on the API.
#[derive(Debug, Serialize, Deserialize)]
enum ApiHead {
    Chat(Head),
    Response(Box<ResponseHead>),
}

/// The operator's settings of replies.
#[derive(Debug, Clone, Copy)]
pub struct ReplySettings {
    /// Whether clients see the agent's reasoning.
    pub reasoning: Reasoning,
    /// The maximum size of what a response says, in bytes.
    pub response_limit: usize,
    /// Whether the client can get the response again.
    pub is_kept: bool,
}

/// The members that all chunks of a chat completion have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The id of the run.
    pub id: String,
    /// The time at which the run began, in seconds since 1970.
    pub created: u64,
    /// The `model` of the request.
    pub model: String,
    /// Whether the reply shows the agent's reasoning.
    pub reasoning: Reasoning,
}

/// Whether clients see the agent's reasoning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reasoning {
    /// As `reasoning_content`, or as items of the output.
    Shown,
    /// Never.
    #[default]
    Hidden,
}

impl ReplyHead {
    /// Takes the head out of a run that begins at a time, in seconds since 1970.
    #[must_use]
    pub fn take(run: &mut ValidRun, created: u64, settings: ReplySettings) -> Self {
        let head = Head {
            id: run.id().to_owned(),
            created,
            model: run.model().to_owned(),
            reasoning: settings.reasoning,
        };
        Self {
            mode: run.mode(),
            choice: run.tool_choice().clone(),
            api: match run.take_form() {
                ReplyForm::Completion => ApiHead::Chat(head),
                ReplyForm::Response(form) => {
                    ApiHead::Response(Box::new(response_head(*form, head, settings)))
                }
            },
        }
    }

    /// Returns the mode that the request asks for.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Begins a streamed reply with its part of the memory budget, and appends its first
    /// bytes. The events of a response before the number `first` are left out.
    pub fn streamed(self, memory: Holding, first: u64, out: &mut Vec<u8>) -> StreamedReply {
        match self.api {
            ApiHead::Chat(head) => {
                let include_usage = match self.mode {
                    Mode::Streamed { include_usage } => include_usage,
                    Mode::Whole => false,
                };
                StreamedChat::start(head, include_usage, &self.choice, out).into()
            }
            ApiHead::Response(head) => {
                StreamedResponse::start(*head, &self.choice, memory, first, out).into()
            }
        }
    }

    /// Begins a response that may be under way, with its part of the memory budget. Chat
    /// Completions has nothing like it.
    #[must_use]
    pub fn snapshot(self, memory: Holding) -> Option<WholeResponse> {
        match self.api {
            ApiHead::Chat(_) => None,
            ApiHead::Response(head) => Some(WholeResponse::new(*head, &self.choice, memory)),
        }
    }

    /// Begins a whole reply with its part of the memory budget.
    #[must_use]
    pub fn whole(self, memory: Holding) -> WholeReply {
        match self.api {
            ApiHead::Chat(head) => WholeChat::new(head, &self.choice, memory).into(),
            ApiHead::Response(head) => WholeResponse::new(*head, &self.choice, memory).into(),
        }
    }
}

#[cfg(test)]
impl ReplyHead {
    /// Makes the head of a whole chat completion.
    pub(crate) fn for_test() -> Self {
        Self {
            mode: Mode::Whole,
            choice: ToolChoice::Auto,
            api: ApiHead::Chat(Head {
                id: "chatcmpl_1".to_owned(),
                created: 1,
                model: "openclaw".to_owned(),
                reasoning: Reasoning::Hidden,
            }),
        }
    }
}

fn response_head(form: ResponseForm, head: Head, settings: ReplySettings) -> ResponseHead {
    ResponseHead {
        store: settings.is_kept,
        background: form.background,
        id: form.id,
        run: form.run,
        created: head.created,
        model: head.model,
        reasoning: head.reasoning,
        echo: form.echo,
        names: form.names,
        limit: settings.response_limit,
        // Codex repeats a request after any other code.
        failure: match form.client {
            Client::Codex => FailureCode::InvalidPrompt,
            Client::Other => FailureCode::ServerError,
        },
    }
}
