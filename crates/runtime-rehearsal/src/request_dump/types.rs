//! The JSON of a request.

use serde::Serialize;
use serde_json::value::RawValue;

#[derive(Serialize)]
pub(super) struct RequestDump<'a> {
    pub(super) run_id: &'a str,
    pub(super) agent: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) upstream: Option<&'a str>,
    pub(super) authority: &'static str,
    pub(super) session: &'a str,
    pub(super) continuity: &'static str,
    pub(super) messages: Vec<MessageDump<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tools: Vec<ToolDump<'a>>,
    pub(super) tool_choice: ToolChoiceDump<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "SamplingDump::is_empty")]
    pub(super) sampling: SamplingDump<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_format: Option<FormatDump<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_effort: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) channel: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) traceparent: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct MessageDump<'a> {
    pub(super) role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_call_id: Option<&'a str>,
    pub(super) content: Vec<Part<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tool_calls: Vec<ToolCallDump<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Part<'a> {
    Text(&'a str),
    Image { media_type: &'a str, bytes: usize },
    ImageUrl(&'a str),
}

#[derive(Serialize)]
pub(super) struct ToolCallDump<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) arguments: &'a str,
}

#[derive(Serialize)]
pub(super) struct ToolDump<'a> {
    pub(super) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameters: Option<Json<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) strict: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ToolChoiceDump<'a> {
    Auto,
    None,
    Required,
    Named(&'a str),
}

#[derive(Serialize)]
pub(super) struct SamplingDump<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) presence_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seed: Option<i64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FormatDump<'a> {
    Text,
    JsonObject,
    JsonSchema(Json<'a>),
}

/// JSON text: embedded as JSON, or as a string if it is invalid.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Json<'a> {
    Value(&'a RawValue),
    Text(&'a str),
}

impl SamplingDump<'_> {
    fn is_empty(&self) -> bool {
        self.temperature.is_none()
            && self.top_p.is_none()
            && self.frequency_penalty.is_none()
            && self.presence_penalty.is_none()
            && self.seed.is_none()
            && self.stop.is_empty()
            && self.max_tokens.is_none()
    }
}
