//! An answer given in one piece, when its run has ended.

use crate::error::Error;
use crate::openai::completion::{
    ChatCompletion, Choice, FinishReason, FunctionCall, Message, ToolCall, Usage,
};
use crate::runtime::{RunError, RunEvent, RunOutcome, ToolChoice};

use super::guard::Guard;
use super::{Head, Reasoning};

/// How large a collected answer may become, in bytes. Longer ones can be
/// streamed.
const SIZE_LIMIT: usize = 32 * 1024 * 1024;

/// An answer in the making.
#[derive(Debug)]
pub struct WholeReply {
    head: Head,
    guard: Guard,
    text: String,
    reasoning: String,
    calls: Vec<ToolCall>,
    size: usize,
}

impl WholeReply {
    /// Begins an answer.
    #[must_use]
    pub fn new(head: Head, choice: &ToolChoice) -> Self {
        Self {
            head,
            guard: Guard::new(choice),
            text: String::new(),
            reasoning: String::new(),
            calls: Vec::new(),
            size: 0,
        }
    }

    /// Adds what an event of the run tells.
    ///
    /// # Errors
    /// An event that the tool choice does not allow, and an answer that grows
    /// beyond 32 MiB; the run has failed then.
    pub fn event(&mut self, event: RunEvent) -> Result<(), RunError> {
        for event in self.guard.pass(event)? {
            self.add(event);
        }
        if self.size > SIZE_LIMIT {
            return Err(RunError::Failed("the answer grew beyond 32 MiB".to_owned()));
        }
        Ok(())
    }

    /// Ends the answer and returns its JSON document with the outcome.
    ///
    /// # Errors
    /// The run's own error, or that it did not call the tool that it had to.
    pub fn end(self, ended: Result<RunOutcome, RunError>) -> Result<(Vec<u8>, RunOutcome), Error> {
        let outcome = ended?;
        self.guard.check_met()?;
        let completion = ChatCompletion {
            id: &self.head.id,
            object: "chat.completion",
            created: self.head.created,
            model: &self.head.model,
            choices: [Choice {
                index: 0,
                message: Message {
                    role: "assistant",
                    content: &self.text,
                    reasoning_content: &self.reasoning,
                    tool_calls: &self.calls,
                },
                finish_reason: FinishReason::from(outcome.stop_reason),
            }],
            usage: outcome.usage.map(Usage::from).unwrap_or_default(),
        };
        let body =
            serde_json::to_vec(&completion).map_err(|_| Error::Internal("encoding the answer"))?;
        Ok((body, outcome))
    }

    fn add(&mut self, event: RunEvent) {
        match event {
            RunEvent::Text(text) => {
                self.size += text.len();
                self.text.push_str(&text);
            }
            RunEvent::Reasoning(text) => {
                if self.head.reasoning == Reasoning::Shown {
                    self.size += text.len();
                    self.reasoning.push_str(&text);
                }
            }
            RunEvent::ToolCall(call) => {
                self.size += call.id.len() + call.name.len() + size_of::<ToolCall>();
                self.calls.push(ToolCall {
                    id: call.id,
                    r#type: "function",
                    function: FunctionCall {
                        name: call.name,
                        arguments: String::new(),
                    },
                });
            }
            RunEvent::ToolArguments(delta) => {
                self.size += delta.json.len();
                let call = usize::try_from(delta.index).ok();
                // Arguments of a call that never began belong to nothing.
                if let Some(call) = call.and_then(|index| self.calls.get_mut(index)) {
                    call.function.arguments.push_str(&delta.json);
                }
            }
        }
    }
}
