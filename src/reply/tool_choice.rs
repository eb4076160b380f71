//! The tool choice of a request, enforced on the reply.

use crate::runtime::{RunError, RunEvent, ToolChoice};

/// The maximum size of events that wait for a call, in bytes.
const HELD_LIMIT: usize = 1024 * 1024;

/// Forwards events, or buffers them until the agent calls the required tool.
#[derive(Debug)]
pub(super) enum ToolChoiceGate {
    /// Forwards every event.
    Open,
    /// Rejects tool calls.
    NoTools,
    /// Buffers events until the agent calls the required tool.
    Waiting {
        /// The name of the required tool. `None` means any tool.
        tool: Option<String>,
        /// The buffered events.
        held: Vec<RunEvent>,
        /// Their size, in bytes.
        size: usize,
    },
}

impl ToolChoiceGate {
    pub(super) fn new(choice: &ToolChoice) -> Self {
        let waiting = |tool| Self::Waiting {
            tool,
            held: Vec::new(),
            size: 0,
        };
        match choice {
            ToolChoice::Auto => Self::Open,
            ToolChoice::None => Self::NoTools,
            ToolChoice::Required => waiting(None),
            ToolChoice::Named(name) => waiting(Some(name.clone())),
        }
    }

    /// Takes an event and returns the events to show now.
    pub(super) fn pass(&mut self, event: RunEvent) -> Result<Vec<RunEvent>, RunError> {
        match self {
            Self::Open => Ok(vec![event]),
            Self::NoTools if matches!(event, RunEvent::ToolCall(_)) => Err(RunError::Failed(
                "the agent called a tool, but `tool_choice` is `none`".to_owned(),
            )),
            Self::NoTools => Ok(vec![event]),
            Self::Waiting { tool, held, size } => {
                let called = is_call_of(&event, tool.as_deref());
                *size += length(&event);
                held.push(event);
                if called {
                    let held = std::mem::take(held);
                    *self = Self::Open;
                    return Ok(held);
                }
                if *size > HELD_LIMIT {
                    return Err(RunError::ToolChoiceUnmet);
                }
                Ok(Vec::new())
            }
        }
    }

    /// Checks at the end of a run that the agent called the required tool.
    pub(super) fn check_met(&self) -> Result<(), RunError> {
        match self {
            Self::Open | Self::NoTools => Ok(()),
            Self::Waiting { .. } => Err(RunError::ToolChoiceUnmet),
        }
    }
}

fn is_call_of(event: &RunEvent, tool: Option<&str>) -> bool {
    match event {
        RunEvent::ToolCall(call) => tool.is_none_or(|tool| tool == call.name),
        RunEvent::Text(_) | RunEvent::Reasoning(_) | RunEvent::ToolArguments(_) => false,
    }
}

/// Estimates the memory of an event, in bytes.
fn length(event: &RunEvent) -> usize {
    let text = match event {
        RunEvent::Text(text) | RunEvent::Reasoning(text) => text.len(),
        RunEvent::ToolCall(call) => call.id.len() + call.name.len(),
        RunEvent::ToolArguments(delta) => delta.json.len(),
    };
    text + size_of::<RunEvent>()
}
