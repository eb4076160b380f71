//! The JSON body of a chat completions request. It is written into one buffer, so 20 MiB of
//! images are in memory once.
//!
//! Source: OpenAI's `ChatCompletionRequest`.

use std::borrow::Cow;

use serde::Serialize;
use tidegate_json::RawValue;

use crate::models::Models;
use crate::types::{ResponseFormat, RunError, RunRequest};

use super::images::gathered;
use super::invalid::json;
use super::message::WireMessage;
use super::size::expected_size;
use super::tool::{Choice, Definition, Function, choice, definition};

/// Encodes the body of a run.
///
/// # Errors
/// Parameters of a tool, or a schema of the response format, that are not JSON.
pub(super) fn encode(run: &RunRequest, models: &Models) -> Result<Vec<u8>, RunError> {
    let body = Body::new(run, models)?;
    let mut bytes = Vec::with_capacity(expected_size(run));
    serde_json::to_writer(&mut bytes, &body)
        .map_err(|_| RunError::Failed("the request cannot be encoded as JSON".to_owned()))?;
    // The body exists until the backend has read it.
    bytes.shrink_to_fit();
    Ok(bytes)
}

#[derive(Serialize)]
struct Body<'r> {
    model: Cow<'r, str>,
    stream: bool,
    stream_options: StreamOptions,
    messages: Vec<WireMessage<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Function<Definition<'r>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Choice<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'r [String],
    // Not `max_completion_tokens`: OpenClaw accepts both, other backends only this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Format<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'r str>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

impl<'r> Body<'r> {
    fn new(run: &'r RunRequest, models: &'r Models) -> Result<Self, RunError> {
        let sampling = &run.sampling;
        let tools: Result<_, _> = run.tools.iter().map(definition).collect();
        Ok(Self {
            model: models.of_agent(&run.agent),
            stream: true,
            stream_options: StreamOptions {
                include_usage: true,
            },
            messages: match models.are_openclaws(&run.agent) {
                true => gathered(&run.messages),
                false => run.messages.iter().map(WireMessage::new).collect(),
            },
            tools: tools?,
            tool_choice: choice(run),
            // OpenAI rejects this member without tools.
            parallel_tool_calls: run.parallel_tool_calls.filter(|_| !run.tools.is_empty()),
            temperature: sampling.temperature,
            top_p: sampling.top_p,
            frequency_penalty: sampling.frequency_penalty,
            presence_penalty: sampling.presence_penalty,
            seed: sampling.seed,
            stop: &sampling.stop,
            max_tokens: sampling.max_tokens,
            response_format: run.response_format.as_ref().map(format).transpose()?,
            reasoning_effort: run.reasoning_effort.as_deref(),
        })
    }
}

#[derive(Serialize)]
struct Format<'r> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_schema: Option<&'r RawValue>,
}

fn format(format: &ResponseFormat) -> Result<Format<'_>, RunError> {
    let (r#type, json_schema) = match format {
        ResponseFormat::Text => ("text", None),
        ResponseFormat::JsonObject => ("json_object", None),
        ResponseFormat::JsonSchema(schema) => (
            "json_schema",
            Some(json(schema, "The response format's schema")?),
        ),
    };
    Ok(Format {
        r#type,
        json_schema,
    })
}
