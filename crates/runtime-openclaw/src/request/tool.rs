//! The tools and the tool choice of a body.

use serde::Serialize;
use tidegate_json::RawValue;

use crate::types::{RunError, RunRequest, Tool, ToolChoice};

use super::invalid::json;

/// The schema of a function without arguments. OpenClaw cannot call a function without a
/// schema.
const NO_PARAMETERS: &str = r#"{"type":"object","properties":{}}"#;

/// A function in OpenAI's wrapper.
#[derive(Serialize)]
pub(super) struct Function<T> {
    r#type: &'static str,
    function: T,
}

impl<T> Function<T> {
    pub(super) fn new(function: T) -> Self {
        Self {
            r#type: "function",
            function,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Definition<'r> {
    name: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'r str>,
    parameters: &'r RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

/// Encodes a tool.
pub(super) fn definition(tool: &Tool) -> Result<Function<Definition<'_>>, RunError> {
    let parameters = tool.parameters.as_deref().unwrap_or(NO_PARAMETERS);
    Ok(Function::new(Definition {
        name: &tool.name,
        description: tool.description.as_deref(),
        parameters: json(parameters, "The parameters of a tool")?,
        strict: tool.strict,
    }))
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Choice<'r> {
    Word(&'static str),
    Named(Function<Named<'r>>),
}

#[derive(Serialize)]
pub(super) struct Named<'r> {
    name: &'r str,
}

/// Encodes the tool choice.
pub(super) fn choice(run: &RunRequest) -> Option<Choice<'_>> {
    match &run.tool_choice {
        ToolChoice::Auto => None,
        // OpenAI rejects even this without tools.
        ToolChoice::None if run.tools.is_empty() => None,
        ToolChoice::None => Some(Choice::Word("none")),
        ToolChoice::Required => Some(Choice::Word("required")),
        ToolChoice::Named(name) => Some(Choice::Named(Function::new(Named { name }))),
    }
}
