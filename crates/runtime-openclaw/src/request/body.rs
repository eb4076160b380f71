//! The JSON body of a chat completions request, written straight into one
//! buffer: a body of 20 MiB of pictures is held once and not twice.
//!
//! Shape: OpenAI's `ChatCompletionRequest`.

use std::borrow::Cow;
use std::fmt;

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};
use tidegate_json::RawValue;

use crate::models::Models;
use crate::types::{
    ContentPart, Image, Message, ResponseFormat, Role, RunError, RunRequest, Tool, ToolCall,
    ToolChoice,
};

/// The schema of a function that takes no arguments. OpenClaw fails to call a
/// function that has no schema at all.
const NO_PARAMETERS: &str = r#"{"type":"object","properties":{}}"#;

/// Room for the names of a few fields and their punctuation.
const ROOM: usize = 128;

/// Writes the body of the request that carries out a run.
///
/// # Errors
/// A tool's parameters or a response format's schema that is no JSON.
pub(super) fn encode(run: &RunRequest, models: &Models) -> Result<Vec<u8>, RunError> {
    let body = Body::new(run, models)?;
    let mut bytes = Vec::with_capacity(expected_size(run));
    serde_json::to_writer(&mut bytes, &body)
        .map_err(|_| RunError::Failed("the request cannot be written as JSON".to_owned()))?;
    Ok(bytes)
}

/// Returns about the size of the body: the texts with a sixteenth more for
/// escapes, the pictures exactly.
fn expected_size(run: &RunRequest) -> usize {
    let texts: usize = run.messages.iter().map(text_size).sum();
    let images: usize = run.messages.iter().map(image_size).sum();
    let tools = run.tools.iter().map(|tool| {
        let optional = [&tool.description, &tool.parameters];
        ROOM + optional
            .into_iter()
            .flatten()
            .map(String::len)
            .sum::<usize>()
    });
    let texts = texts + tools.sum::<usize>();
    8 * ROOM + texts + texts / 16 + images
}

fn text_size(message: &Message) -> usize {
    let parts = message.content.iter().map(|part| match part {
        ContentPart::Text(text) | ContentPart::ImageUrl(text) => ROOM + text.len(),
        ContentPart::Image(_) => ROOM,
    });
    let calls = message.tool_calls.iter();
    let calls = calls.map(|call| ROOM + call.name.len() + call.arguments.len());
    ROOM + parts.chain(calls).sum::<usize>()
}

fn image_size(message: &Message) -> usize {
    let parts = message.content.iter().map(|part| match part {
        ContentPart::Image(image) => image.data.len().div_ceil(3) * 4,
        ContentPart::Text(_) | ContentPart::ImageUrl(_) => 0,
    });
    parts.sum()
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
    // Not `max_completion_tokens`: OpenClaw takes both, others only this one.
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
            messages: run.messages.iter().map(WireMessage::new).collect(),
            tools: tools?,
            tool_choice: choice(run),
            // OpenAI refuses the field where there are no tools.
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
struct WireMessage<'r> {
    role: &'static str,
    content: Option<Content<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Called<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'r str>,
}

impl<'r> WireMessage<'r> {
    fn new(message: &'r Message) -> Self {
        Self {
            role: role(message.role),
            content: content(message),
            tool_calls: message.tool_calls.iter().map(Called::new).collect(),
            tool_call_id: message.tool_call_id.as_deref(),
            name: message.name.as_deref(),
        }
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::Developer => "developer",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'r> {
    Text(&'r str),
    Parts(Vec<Part<'r>>),
}

/// Returns the content in its plainest form. None is JSON's null, which OpenAI
/// wants only of an assistant that calls tools.
fn content(message: &Message) -> Option<Content<'_>> {
    match message.content.as_slice() {
        [] if message.tool_calls.is_empty() => Some(Content::Text("")),
        [] => None,
        [ContentPart::Text(text)] => Some(Content::Text(text)),
        parts => Some(Content::Parts(parts.iter().map(Part::new).collect())),
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part<'r> {
    Text { text: &'r str },
    ImageUrl { image_url: ImageUrl<'r> },
}

#[derive(Serialize)]
struct ImageUrl<'r> {
    url: Url<'r>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Url<'r> {
    Address(&'r str),
    Data(DataUrl<'r>),
}

impl<'r> Part<'r> {
    fn new(part: &'r ContentPart) -> Self {
        let image = |url| Self::ImageUrl {
            image_url: ImageUrl { url },
        };
        match part {
            ContentPart::Text(text) => Self::Text { text },
            ContentPart::Image(data) => image(Url::Data(DataUrl(data))),
            ContentPart::ImageUrl(address) => image(Url::Address(address)),
        }
    }
}

/// A picture as a `data:` URL, encoded a kilobyte at a time while it is written.
struct DataUrl<'r>(&'r Image);

impl fmt::Display for DataUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Image { media_type, data } = self.0;
        let data = Base64Display::new(data, &STANDARD);
        write!(f, "data:{media_type};base64,{data}")
    }
}

impl Serialize for DataUrl<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Something about a function, in the wrapping that OpenAI gives it.
#[derive(Serialize)]
struct Function<T> {
    r#type: &'static str,
    function: T,
}

impl<T> Function<T> {
    fn new(function: T) -> Self {
        Self {
            r#type: "function",
            function,
        }
    }
}

#[derive(Serialize)]
struct Called<'r> {
    id: &'r str,
    #[serde(flatten)]
    call: Function<Call<'r>>,
}

#[derive(Serialize)]
struct Call<'r> {
    name: &'r str,
    arguments: &'r str,
}

impl<'r> Called<'r> {
    fn new(call: &'r ToolCall) -> Self {
        Self {
            id: &call.id,
            call: Function::new(Call {
                name: &call.name,
                arguments: &call.arguments,
            }),
        }
    }
}

#[derive(Serialize)]
struct Definition<'r> {
    name: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'r str>,
    parameters: &'r RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

fn definition(tool: &Tool) -> Result<Function<Definition<'_>>, RunError> {
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
enum Choice<'r> {
    Word(&'static str),
    Named(Function<Named<'r>>),
}

#[derive(Serialize)]
struct Named<'r> {
    name: &'r str,
}

fn choice(run: &RunRequest) -> Option<Choice<'_>> {
    match &run.tool_choice {
        ToolChoice::Auto => None,
        // OpenAI refuses even this where there are no tools.
        ToolChoice::None if run.tools.is_empty() => None,
        ToolChoice::None => Some(Choice::Word("none")),
        ToolChoice::Required => Some(Choice::Word("required")),
        ToolChoice::Named(name) => Some(Choice::Named(Function::new(Named { name }))),
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

/// Takes JSON text to be embedded as it is.
fn json<'t>(text: &'t str, what: &str) -> Result<&'t RawValue, RunError> {
    tidegate_json::raw(text).map_err(|_| super::malformed(&format!("{what} must be JSON.")))
}
