//! A streamed answer: role, pieces, finish, usage, `[DONE]`.

use crate::error::Error;
use crate::openai::completion::{
    ChatCompletionChunk, ChunkChoice, Delta, FinishReason, FunctionDelta, ToolCallDelta, Usage,
};
use crate::openai::error::ErrorDocument;
use crate::runtime::{RunError, RunEvent, RunOutcome, ToolChoice};
use crate::sse;

use super::guard::Guard;
use super::{Head, Reasoning};

/// An answer in the making. Each method appends bytes to be sent at once.
#[derive(Debug)]
pub struct StreamedReply {
    head: Head,
    include_usage: bool,
    guard: Guard,
    calls: u32,
}

impl StreamedReply {
    /// Begins an answer with the chunk that says who speaks.
    pub fn start(head: Head, include_usage: bool, choice: &ToolChoice, out: &mut Vec<u8>) -> Self {
        let reply = Self {
            head,
            include_usage,
            guard: Guard::new(choice),
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

    /// Appends what an event of the run adds.
    ///
    /// # Errors
    /// An event that the tool choice does not allow; the run has failed then.
    pub fn event(&mut self, event: RunEvent, out: &mut Vec<u8>) -> Result<(), RunError> {
        for event in self.guard.pass(event)? {
            self.show(&event, out);
        }
        Ok(())
    }

    /// Ends the answer with its last bytes, and returns why it failed if it
    /// did. Takes `self`: nothing can follow.
    ///
    /// A whole run ends with exactly one finish reason. A broken one ends with
    /// an error event instead, at which OpenAI's SDKs raise.
    pub fn end(
        self,
        ended: Result<RunOutcome, RunError>,
        out: &mut Vec<u8>,
    ) -> Result<RunOutcome, Error> {
        let ended = ended.and_then(|outcome| self.guard.check_met().map(|()| outcome));
        let ended = ended.map_err(Error::Run);
        match &ended {
            Ok(outcome) => self.finish(outcome, out),
            Err(error) => sse::event(
                out,
                &ErrorDocument {
                    error: error.answer().error,
                },
            ),
        }
        sse::done(out);
        ended
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
            // Arguments of a call that never began belong to nothing.
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
