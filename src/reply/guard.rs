//! Holds an answer to the tool choice of its request.

use crate::runtime::{RunError, RunEvent, ToolChoice};

/// How much may be held back while a call is waited for, in bytes.
const HELD_LIMIT: usize = 4 * 1024 * 1024;

/// Lets events pass, or holds them back until the tool that must be called is.
#[derive(Debug)]
pub(super) enum Guard {
    /// Everything passes.
    Open,
    /// No tool may be called.
    NoTools,
    /// Nothing passes until a tool is called: the named one, or any.
    Waiting {
        /// The tool that must be called, if one is named.
        tool: Option<String>,
        /// What happened meanwhile.
        held: Vec<RunEvent>,
        /// How large that is, in bytes.
        size: usize,
    },
}

impl Guard {
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

    /// Takes an event and returns those that may be shown now.
    pub(super) fn pass(&mut self, event: RunEvent) -> Result<Vec<RunEvent>, RunError> {
        match self {
            Self::Open => Ok(vec![event]),
            Self::NoTools if matches!(event, RunEvent::ToolCall(_)) => Err(RunError::Failed(
                "a tool was called though none may be".to_owned(),
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

    /// Tells at the end of a run whether it did what it had to.
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

/// Returns about how much memory an event takes.
fn length(event: &RunEvent) -> usize {
    let text = match event {
        RunEvent::Text(text) | RunEvent::Reasoning(text) => text.len(),
        RunEvent::ToolCall(call) => call.id.len() + call.name.len(),
        RunEvent::ToolArguments(delta) => delta.json.len(),
    };
    text + size_of::<RunEvent>()
}
