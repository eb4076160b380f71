//! A streamed reply: role, chunks, finish reason, usage, `[DONE]`.

use crate::error::{Error, ErrorResponse};
use crate::openai::completion::{
    ChatCompletionChunk, ChunkChoice, Delta, FinishReason, FunctionDelta, ToolCallDelta, Usage,
};
use crate::openai::error::ErrorDocument;
use crate::reply::head::{Head, Reasoning};
use crate::reply::sse;
use crate::reply::tool_choice::ToolChoiceGate;
use crate::runtime::{RunError, RunEvent, RunOutcome, ToolArgumentsDelta, ToolChoice};

use super::arguments::Arguments;

/// A reply under construction. Each method appends bytes to send.
#[derive(Debug)]
pub struct StreamedChat {
    head: Head,
    include_usage: bool,
    gate: ToolChoiceGate,
    arguments: Arguments,
}

impl StreamedChat {
    /// Begins a reply with the chunk that has the role.
    pub fn start(head: Head, include_usage: bool, choice: &ToolChoice, out: &mut Vec<u8>) -> Self {
        let reply = Self {
            head,
            include_usage,
            gate: ToolChoiceGate::new(choice),
            arguments: Arguments::default(),
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
            let call = self.arguments.calls();
            if self.arguments.note(&event) {
                self.show(&event, call, out);
            }
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

    /// Appends an event in chunks of a limited size. `call` is the index of a call that
    /// begins.
    fn show(&self, event: &RunEvent, call: usize, out: &mut Vec<u8>) {
        match event {
            RunEvent::Text(text) => self.pieces(out, text, |text| Delta {
                content: Some(text),
                ..Delta::default()
            }),
            RunEvent::Reasoning(text) => match self.head.reasoning {
                Reasoning::Hidden => {}
                Reasoning::Shown => self.pieces(out, text, |text| Delta {
                    reasoning_content: Some(text),
                    ..Delta::default()
                }),
            },
            RunEvent::ToolCall(begun) => self.delta(
                out,
                tool_delta(ToolCallDelta {
                    index: call,
                    id: Some(&begun.id),
                    r#type: Some("function"),
                    function: FunctionDelta {
                        name: Some(&begun.name),
                        arguments: "",
                    },
                }),
            ),
            RunEvent::ToolArguments(delta) => self.more_arguments(delta, out),
        }
    }

    fn more_arguments(&self, delta: &ToolArgumentsDelta, out: &mut Vec<u8>) {
        self.pieces(out, &delta.json, |arguments| {
            tool_delta(ToolCallDelta {
                index: delta.index as usize,
                id: None,
                r#type: None,
                function: FunctionDelta {
                    name: None,
                    arguments,
                },
            })
        });
    }

    fn pieces<'t>(&self, out: &mut Vec<u8>, text: &'t str, delta: impl Fn(&'t str) -> Delta<'t>) {
        for piece in sse::pieces(text) {
            self.delta(out, delta(piece));
        }
    }

    fn finish(&self, outcome: &RunOutcome, out: &mut Vec<u8>) {
        for missing in self.arguments.missing() {
            self.more_arguments(&missing, out);
        }
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
