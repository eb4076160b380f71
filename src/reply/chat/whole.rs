//! A reply in one JSON document, at the end of the run.

use crate::error::Error;
use crate::inbound::Holding;
use crate::openai::completion::{
    ChatCompletion, Choice, FinishReason, FunctionCall, Message, Null, ToolCall, Usage,
};
use crate::reply::head::{Head, Reasoning};
use crate::reply::tool_choice::ToolChoiceGate;
use crate::runtime::{RunError, RunEvent, RunOutcome, ToolChoice};

use super::arguments::NO_ARGUMENTS;

/// The maximum size of a reply, in bytes. Clients can stream longer ones.
const SIZE_LIMIT: usize = 16 * 1024 * 1024;

/// The size of a reply, in bytes, from which on it takes part in the budget, and by which it
/// grows there.
const STEP: usize = 64 * 1024;

/// A reply under construction.
#[derive(Debug)]
pub struct WholeChat {
    head: Head,
    gate: ToolChoiceGate,
    text: String,
    reasoning: String,
    calls: Vec<ToolCall>,
    size: usize,
    holding: Holding,
}

impl WholeChat {
    /// Begins a reply, with its part of the memory budget.
    #[must_use]
    pub fn new(head: Head, choice: &ToolChoice, holding: Holding) -> Self {
        Self {
            head,
            gate: ToolChoiceGate::new(choice),
            text: String::new(),
            reasoning: String::new(),
            calls: Vec::new(),
            size: 0,
            holding,
        }
    }

    /// Adds an event of the run.
    ///
    /// # Errors
    /// An event that violates the tool choice, a reply larger than 16 MiB, and a budget
    /// that is used up. The run has then failed.
    pub fn event(&mut self, event: RunEvent) -> Result<(), RunError> {
        for event in self.gate.pass(event)? {
            self.add(event);
        }
        if self.size > SIZE_LIMIT {
            return Err(RunError::Failed(
                "the reply is larger than 16 MiB".to_owned(),
            ));
        }
        let grown = self.holding.grow_to(self.size / STEP * STEP);
        grown.map_err(|_| RunError::Failed("the memory for replies is used up".to_owned()))
    }

    /// Ends the reply and returns its JSON document with the outcome, and with its part of the
    /// memory budget.
    ///
    /// # Errors
    /// The run's own error, and a run without the required tool call.
    pub fn end(
        mut self,
        ended: Result<RunOutcome, RunError>,
    ) -> Result<(Vec<u8>, RunOutcome, Holding), Error> {
        let outcome = ended?;
        self.gate.check_met()?;
        self.complete_arguments();
        let completion = ChatCompletion {
            id: &self.head.id,
            object: "chat.completion",
            created: self.head.created,
            model: &self.head.model,
            choices: [Choice {
                index: 0,
                message: Message {
                    role: "assistant",
                    content: self.content(),
                    refusal: Null,
                    reasoning_content: &self.reasoning,
                    tool_calls: &self.calls,
                },
                logprobs: Null,
                finish_reason: FinishReason::from(outcome.stop_reason),
            }],
            usage: outcome.usage.map(Usage::from).unwrap_or_default(),
        };
        let body =
            serde_json::to_vec(&completion).map_err(|_| Error::Internal("encoding the reply"))?;
        Ok((body, outcome, self.holding))
    }

    fn content(&self) -> Option<&str> {
        (self.calls.is_empty() || !self.text.is_empty()).then_some(self.text.as_str())
    }

    /// Makes the arguments of calls without arguments JSON.
    fn complete_arguments(&mut self) {
        for call in &mut self.calls {
            if call.function.arguments.trim().is_empty() {
                NO_ARGUMENTS.clone_into(&mut call.function.arguments);
            }
        }
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
                // These arguments belong to no call.
                if let Some(call) = call.and_then(|index| self.calls.get_mut(index)) {
                    call.function.arguments.push_str(&delta.json);
                }
            }
        }
    }
}
