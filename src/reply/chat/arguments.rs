//! The arguments of tool calls, which are JSON text.
//!
//! Models write no arguments for a function without parameters, and clients parse them.

use crate::runtime::{RunEvent, ToolArgumentsDelta};

/// The arguments of a call without arguments.
pub(super) const NO_ARGUMENTS: &str = "{}";

/// Which calls of a streamed reply have arguments.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    /// For each call, whether it has any.
    given: Vec<bool>,
}

impl Arguments {
    /// Returns the number of calls.
    pub(super) fn calls(&self) -> usize {
        self.given.len()
    }

    /// Records an event of the reply. Returns `false` for arguments of a call that has not
    /// begun.
    pub(super) fn note(&mut self, event: &RunEvent) -> bool {
        match event {
            RunEvent::Text(_) | RunEvent::Reasoning(_) => true,
            RunEvent::ToolCall(_) => {
                self.given.push(false);
                true
            }
            RunEvent::ToolArguments(delta) => {
                let call = usize::try_from(delta.index).ok();
                match call.and_then(|call| self.given.get_mut(call)) {
                    Some(given) => {
                        *given |= !delta.json.trim().is_empty();
                        true
                    }
                    None => false,
                }
            }
        }
    }

    /// Returns arguments for the calls that are without any.
    pub(super) fn missing(&self) -> impl Iterator<Item = ToolArgumentsDelta> {
        let calls = (0..).zip(&self.given);
        let missing = calls.filter(|(_, given)| !**given);
        missing.map(|(index, _)| ToolArgumentsDelta {
            index,
            json: NO_ARGUMENTS.to_owned(),
        })
    }
}
