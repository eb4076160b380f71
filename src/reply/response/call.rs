//! A tool call of a response.

use crate::run::{ClientTool, ToolKind};

use super::custom_input::CustomInput;
use super::json_end::JsonEnd;

/// The arguments of a function's call without arguments, because clients parse them.
const NO_ARGUMENTS: &str = "{}";

/// A tool call.
#[derive(Debug)]
pub(super) struct Call {
    /// The id of the call.
    pub(super) id: String,
    /// The client's tool.
    pub(super) tool: ClientTool,
    end: JsonEnd,
    input: CustomInput,
}

impl Call {
    pub(super) fn new(id: String, tool: ClientTool) -> Self {
        Self {
            id,
            tool,
            end: JsonEnd::default(),
            input: CustomInput::default(),
        }
    }

    /// Appends more arguments to the text that the client reads.
    pub(super) fn push(&mut self, json: &str, text: &mut String) {
        self.end.push(json);
        match self.tool.kind {
            ToolKind::Function => text.push_str(json),
            ToolKind::Custom => self.input.push(json, text),
        }
    }

    /// Returns whether the arguments are one object, array or string.
    pub(super) fn is_complete(&self) -> bool {
        self.end.is_complete()
    }

    /// Returns whether the arguments of a custom tool continue after its text, but not as JSON.
    pub(super) fn is_broken(&self) -> bool {
        self.input.is_broken()
    }

    /// Returns whether the call has no arguments.
    pub(super) fn is_blank(&self) -> bool {
        self.end == JsonEnd::Blank
    }

    /// Appends the rest of the text of a call that has ended.
    pub(super) fn finish(&mut self, text: &mut String) {
        match self.tool.kind {
            ToolKind::Function if self.is_blank() => text.push_str(NO_ARGUMENTS),
            ToolKind::Function => {}
            ToolKind::Custom => self.input.finish(text),
        }
    }

    /// Estimates the memory of the call's names, in bytes.
    pub(super) fn size(&self) -> usize {
        let namespace = self.tool.namespace.as_deref().unwrap_or_default();
        self.id.len() + self.tool.name.len() + namespace.len()
    }
}
