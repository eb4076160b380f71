//! A streamed reply: role, chunks, finish reason, usage, `[DONE]`.

use crate::error::{Error, ErrorResponse};
use crate::openai::completion::{
    ChatCompletionChunk, ChunkChoice, Delta, FinishReason, FunctionDelta, ToolCallDelta, Usage,
};
use crate::openai::error::ErrorDocument;
use crate::runtime::{RunError, RunEvent, RunOutcome, ToolChoice};

use super::head::{Head, Reasoning};
use super::sse;
use super::tool_choice::ToolChoiceGate;

/// A reply under construction. Each method appends bytes to send.
#[derive(Debug)]
pub struct StreamedReply {
    head: Head,
    include_usage: bool,
    gate: ToolChoiceGate,
    calls: u32,
}

impl StreamedReply {
    /// Begins a reply with the chunk that has the role.
    pub fn start(head: Head, include_usage: bool, choice: &ToolChoice, out: &mut Vec<u8>) -> Self {
        let reply = Self {
            head,
            include_usage,
            gate: ToolChoiceGate::new(choice),
            calls: 0,
        };
        reply.delta(
            out,
            Delta {
                role: Some("assistant"),
                ..Delta::default()
            },
        );
        reply
    }

    /// Appends an event of the run.
    ///
    /// # Errors
    /// An event that violates the tool choice. The run has then failed.
    pub fn event(&mut self, event: RunEvent, out: &mut Vec<u8>) -> Result<(), RunError> {
        for event in self.gate.pass(event)? {
            self.show(&event, out);
        }
        Ok(())
    }

    /// Appends the end of the reply.
    ///
    /// A run that succeeded ends with exactly one finish reason. A failed run ends
    /// with an error event instead, for which OpenAI's SDKs raise an error.
    ///
    /// # Errors
    /// The error that the reply ends with, for the access log.
    pub fn end(
        self,
        ended: Result<RunOutcome, RunError>,
        out: &mut Vec<u8>,
    ) -> Result<RunOutcome, Box<ErrorResponse>> {
        let met = ended.and_then(|outcome| self.gate.check_met().map(|()| outcome));
        let result = met.map_err(|error| Box::new(ErrorResponse::from(Error::Run(error))));
        match &result {
            Ok(outcome) => self.finish(outcome, out),
            Err(response) => {
                let error = response.error.clone();
                sse::event(out, &ErrorDocument { error });
            }
        }
        sse::done(out);
        result
    }

    fn show(&mut self, event: &RunEvent, out: &mut Vec<u8>) {
        let delta = match event {
            RunEvent::Text(text) if text.is_empty() => return,
            RunEvent::Text(text) => Delta {
                content: Some(text),
                ..Delta::default()
            },
            RunEvent::Reasoning(text) if text.is_empty() => return,
            RunEvent::Reasoning(text) => match self.head.reasoning {
                Reasoning::Hidden => return,
                Reasoning::Shown => Delta {
                    reasoning_content: Some(text),
                    ..Delta::default()
                },
            },
            RunEvent::ToolCall(call) => {
                let index = self.calls;
                self.calls += 1;
                tool_delta(ToolCallDelta {
                    index,
                    id: Some(&call.id),
                    r#type: Some("function"),
                    function: FunctionDelta {
                        name: Some(&call.name),
                        arguments: "",
                    },
                })
            }
            // These arguments belong to no call.
            RunEvent::ToolArguments(delta) if delta.index >= self.calls => return,
            RunEvent::ToolArguments(delta) => tool_delta(ToolCallDelta {
                index: delta.index,
                id: None,
                r#type: None,
                function: FunctionDelta {
                    name: None,
                    arguments: &delta.json,
                },
            }),
        };
        self.delta(out, delta);
    }

    fn finish(&self, outcome: &RunOutcome, out: &mut Vec<u8>) {
        let choice = ChunkChoice {
            index: 0,
            delta: Delta::default(),
            finish_reason: Some(FinishReason::from(outcome.stop_reason)),
        };
        self.chunk(out, &[choice], None);
        if self.include_usage {
            let usage = outcome.usage.map(Usage::from).unwrap_or_default();
            self.chunk(out, &[], Some(usage));
        }
    }

    fn delta(&self, out: &mut Vec<u8>, delta: Delta<'_>) {
        let choice = ChunkChoice {
            index: 0,
            delta,
            finish_reason: None,
        };
        self.chunk(out, &[choice], None);
    }

    fn chunk(&self, out: &mut Vec<u8>, choices: &[ChunkChoice<'_>], usage: Option<Usage>) {
        let chunk = ChatCompletionChunk {
            id: &self.head.id,
            object: "chat.completion.chunk",
            created: self.head.created,
            model: &self.head.model,
            choices,
            usage,
        };
        sse::event(out, &chunk);
    }
}

fn tool_delta(call: ToolCallDelta<'_>) -> Delta<'_> {
    Delta {
        tool_calls: Some([call]),
        ..Delta::default()
    }
}
