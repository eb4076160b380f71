//! The response of a run: its events, and the response object.

use crate::error::ErrorResponse;
use crate::inbound::Holding;
use crate::openai::responses::{
    EventData, EventType, IncompleteDetails, IncompleteReason, Response, ResponseError,
    ResponseStatus, ResponseUsage,
};
use crate::reply::ending::Ending;
use crate::reply::head::Reasoning;
use crate::reply::tool_choice::ToolChoiceGate;
use crate::run::client_call_id;
use crate::runtime::{RunError, RunEvent, RunOutcome, StopReason, ToolChoice};

use super::events::{Events, Reader};
use super::head::ResponseHead;
use super::memory::Memory;
use super::output::Output;

/// A response under construction. Streamed and whole replies use it, so that both have the
/// same output.
#[derive(Debug)]
pub(super) struct Builder {
    head: ResponseHead,
    gate: ToolChoiceGate,
    output: Output,
    events: Events,
    memory: Memory,
}

/// The state of a response.
#[derive(Debug)]
pub(super) enum State<'e> {
    /// The run has not ended.
    InProgress,
    /// The run succeeded at this time, in seconds since 1970.
    Completed(u64, ResponseUsage),
    /// The run ended at a limit.
    Incomplete(IncompleteReason, ResponseUsage),
    /// The run failed.
    Failed(ResponseError<'e>),
    /// A client cancelled the run.
    Cancelled,
}

impl State<'_> {
    fn event_type(&self) -> EventType {
        match self {
            Self::InProgress => EventType::InProgress,
            Self::Completed(..) => EventType::Completed,
            // OpenAI's API has no event of its own for a cancelled response.
            Self::Incomplete(..) | Self::Cancelled => EventType::Incomplete,
            Self::Failed(_) => EventType::Failed,
        }
    }

    fn status(&self) -> ResponseStatus {
        match self {
            Self::InProgress => ResponseStatus::InProgress,
            Self::Completed(..) => ResponseStatus::Completed,
            Self::Incomplete(..) => ResponseStatus::Incomplete,
            Self::Failed(_) => ResponseStatus::Failed,
            Self::Cancelled => ResponseStatus::Cancelled,
        }
    }
}

impl Builder {
    pub(super) fn new(
        head: ResponseHead,
        choice: &ToolChoice,
        reader: Reader,
        memory: Memory,
    ) -> Self {
        Self {
            gate: ToolChoiceGate::new(choice),
            output: Output::new(head.run),
            events: Events::new(reader),
            memory: memory.with_head(head.size()),
            head: head.on_one_line(),
        }
    }

    /// Leaves out the events before this number, which the client has read.
    pub(super) fn begin_at(&mut self, first: u64) {
        self.events.begin_at(first);
    }

    /// Appends the events of the response's begin.
    pub(super) fn start(&mut self, out: &mut Vec<u8>) {
        self.write(EventType::Created, &State::InProgress, out);
        self.write(EventType::InProgress, &State::InProgress, out);
    }

    /// Adds an event of the run.
    ///
    /// # Errors
    /// An event that violates the tool choice, arguments of a call that has ended, and a
    /// response that uses too much memory. The run has then failed.
    pub(super) fn event(&mut self, event: RunEvent, out: &mut Vec<u8>) -> Result<(), RunError> {
        for event in self.gate.pass(event)? {
            self.add(event, out)?;
        }
        self.memory.grow_to(self.output.size())
    }

    /// Appends the response so far.
    pub(super) fn progress(&mut self, out: &mut Vec<u8>) {
        self.write(EventType::InProgress, &State::InProgress, out);
    }

    /// Ends the output. `now` is asked for the time of a complete response. A cancelled run has
    /// no outcome.
    ///
    /// # Errors
    /// The run's own error, and a run without the required tool call.
    pub(super) fn end(
        &mut self,
        ending: Ending,
        now: impl FnOnce() -> u64,
        out: &mut Vec<u8>,
    ) -> Result<(Option<RunOutcome>, State<'static>), RunError> {
        let mut writer = self.events.writer(out);
        if ending == Ending::Cancelled {
            self.output.fail(&mut writer);
            return Ok((None, State::Cancelled));
        }
        let ended = ending.into_result();
        let met = ended.and_then(|outcome| self.gate.check_met().map(|()| outcome));
        let outcome = met.inspect_err(|_| self.output.fail(&mut writer))?;
        let limit = match outcome.stop_reason {
            StopReason::EndTurn | StopReason::ToolCalls => None,
            StopReason::MaxTokens => Some(IncompleteReason::MaxOutputTokens),
            StopReason::ContentFilter => Some(IncompleteReason::ContentFilter),
        };
        self.output.end(limit.is_some(), &mut writer);
        let usage = outcome.usage.map(ResponseUsage::from).unwrap_or_default();
        let state = match limit {
            None => State::Completed(now(), usage),
            Some(reason) => State::Incomplete(reason, usage),
        };
        Ok((Some(outcome), state))
    }

    /// Returns the state after an error.
    pub(super) fn failed<'e>(&self, error: &RunError, response: &'e ErrorResponse) -> State<'e> {
        State::Failed(ResponseError {
            code: self.head.failure.of(error, response),
            message: &response.error.message,
        })
    }

    /// Appends the last events.
    pub(super) fn finish(&mut self, state: &State<'_>, out: &mut Vec<u8>) {
        self.events.writer(out).reserve(self.output.size());
        self.write(state.event_type(), state, out);
        self.events.writer(out).done();
    }

    /// Returns the part of the memory budget.
    pub(super) fn into_holding(self) -> Holding {
        self.memory.into_holding()
    }

    /// Returns the response object.
    pub(super) fn response<'a>(&'a self, state: &'a State<'_>) -> Response<'a> {
        response(&self.head, &self.output, state)
    }

    fn add(&mut self, event: RunEvent, out: &mut Vec<u8>) -> Result<(), RunError> {
        let mut writer = self.events.writer(out);
        match event {
            RunEvent::Text(text) => self.output.message(&text, &mut writer),
            RunEvent::Reasoning(text) => match self.head.reasoning {
                Reasoning::Hidden => {}
                Reasoning::Shown => self.output.reasoning(&text, &mut writer),
            },
            RunEvent::ToolCall(call) => {
                let tool = self.head.names.of(&call.name);
                let id = client_call_id(&call.id).into_owned();
                self.output.call(id, tool, &mut writer);
            }
            RunEvent::ToolArguments(delta) => self.output.arguments(&delta, &mut writer)?,
        }
        Ok(())
    }

    fn write(&mut self, r#type: EventType, state: &State<'_>, out: &mut Vec<u8>) {
        let mut writer = self.events.writer(out);
        if writer.is_read() {
            let response = &response(&self.head, &self.output, state);
            writer.write(r#type, EventData::Response { response });
        }
    }
}

fn response<'a>(head: &'a ResponseHead, output: &'a Output, state: &'a State<'_>) -> Response<'a> {
    let echo = &head.echo;
    let (completed_at, incomplete_details, error, usage) = match state {
        State::InProgress | State::Cancelled => (None, None, None, None),
        State::Completed(now, usage) => (Some(*now), None, None, Some(*usage)),
        State::Incomplete(reason, usage) => {
            let details = IncompleteDetails { reason: *reason };
            (None, Some(details), None, Some(*usage))
        }
        State::Failed(error) => (None, None, Some(*error), None),
    };
    Response {
        id: &head.id,
        object: "response",
        created_at: head.created,
        completed_at,
        status: state.status(),
        incomplete_details,
        model: &head.model,
        previous_response_id: echo.previous_response_id.as_deref(),
        instructions: echo.instructions.as_deref(),
        output: output.items(),
        error,
        tools: &echo.tools,
        tool_choice: &echo.tool_choice,
        truncation: echo.truncation,
        parallel_tool_calls: echo.parallel_tool_calls,
        text: &echo.text,
        top_p: echo.top_p,
        presence_penalty: 0,
        frequency_penalty: 0,
        top_logprobs: 0,
        temperature: echo.temperature,
        reasoning: &echo.reasoning,
        usage,
        max_output_tokens: echo.max_output_tokens,
        max_tool_calls: echo.max_tool_calls,
        store: head.store,
        background: head.background,
        service_tier: "default",
        metadata: &echo.metadata,
        safety_identifier: echo.safety_identifier.as_deref(),
        prompt_cache_key: echo.prompt_cache_key.as_deref(),
    }
}
