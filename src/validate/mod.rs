//! Turns a caller's request into a run, or refuses it.
//!
//! A [`ValidRun`] is made here and nowhere else, so whoever holds one has
//! checked everything. The order of the checks is the reference's: the types of
//! all members first, then values, then the agent and the session, then tools,
//! images and messages.

mod history;
mod images;
mod messages;
mod sampling;
mod tools;

pub use history::History;
pub use images::UrlPolicy;

use tidegate_json::{Kind, Member};
use uuid::Uuid;

use crate::access::{self, MODEL_HEADER};
use crate::agent::AgentId;
use crate::auth::Caller;
use crate::config::Settings;
use crate::headers::Headers;
use crate::openai::request::{ChatCompletionRequest, Messages, StreamOptions, Text};
use crate::rejection::Rejection;
use crate::reply::Mode;
use crate::runtime::{Continuity, Message, RunRequest, ToolChoice};
use crate::session::{self, SESSION_HEADER, SessionKey};

/// The header that names the message channel of the request.
const CHANNEL_HEADER: &str = "x-openclaw-message-channel";

/// The longest value of a header that is handed on to the runtime, in bytes.
const HEADER_LIMIT: usize = 256;

/// The identifiers of a request, made before it is looked at.
#[derive(Debug, Clone, Copy)]
pub struct RequestIds {
    /// Names the run.
    pub run: Uuid,
    /// Names the session, if nothing else does.
    pub session: Uuid,
}

/// A run whose request has been checked.
#[derive(Debug)]
pub struct ValidRun {
    request: RunRequest,
    session: SessionKey,
    mode: Mode,
    model: String,
}

impl ValidRun {
    /// Returns the model as the client wrote it, for the answer to repeat.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Returns how the answer is to be given.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Returns the tool choice that the answer is held to.
    #[must_use]
    pub fn tool_choice(&self) -> &ToolChoice {
        &self.request.tool_choice
    }

    /// Returns the agent that is asked.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.request.agent
    }

    /// Returns the session that the run belongs to.
    #[must_use]
    pub fn session(&self) -> &SessionKey {
        &self.session
    }

    /// Returns the id of the trace that the run belongs to, if there is one
    /// (W3C Trace Context, section 3.2.2.3).
    #[must_use]
    pub fn trace(&self) -> Option<&str> {
        self.request.traceparent.as_deref()?.split('-').nth(1)
    }

    /// Returns the request for the runtime.
    #[must_use]
    pub fn into_request(self) -> RunRequest {
        self.request
    }
}

/// Checks a request and makes a run of it.
///
/// # Errors
/// The first rule that the request breaks.
pub fn validate(
    request: Member<ChatCompletionRequest<'_>>,
    headers: &Headers,
    caller: &Caller,
    settings: &Settings,
    ids: RequestIds,
) -> Result<ValidRun, Rejection> {
    let request = match request {
        Member::Is(request) => request,
        Member::Absent | Member::Null => return Err(root_type(Kind::Null)),
        Member::Not(kind) => return Err(root_type(kind)),
    };
    check_types(&request)?;
    let max_tokens = sampling::max_tokens(&request)?;
    let response_format = sampling::response_format(&request.response_format)?;
    let sampling = sampling::sampling(&request, max_tokens)?;
    let place = Place::find(&request, headers, caller, settings, ids)?;
    let (tools, tool_choice) = tools::tools(request.tools, request.tool_choice)?;
    access::check_tools(caller, &tools)?;
    let messages = request.messages.ok().unwrap_or_default();
    let messages = conversation(messages, &place.session, caller, settings)?;
    let mode = mode(&request.stream, &request.stream_options);
    Ok(ValidRun {
        request: RunRequest {
            run_id: run_id(ids.run),
            agent: place.agent.into_string(),
            session: place.session.to_string(),
            continuity: place.session.continuity(),
            messages,
            tools,
            tool_choice,
            parallel_tool_calls: request.parallel_tool_calls.ok(),
            sampling,
            response_format,
            reasoning_effort: request.reasoning_effort.ok().map(Text::into_owned),
            model: place.model,
            channel: place.channel,
            traceparent: traceparent(headers),
        },
        session: place.session,
        mode,
        model: echoed_model(&request.model),
    })
}

/// Where a run takes place, as model, user and headers say.
struct Place {
    agent: AgentId,
    session: SessionKey,
    model: Option<String>,
    channel: Option<String>,
}

impl Place {
    fn find(
        request: &ChatCompletionRequest<'_>,
        headers: &Headers,
        caller: &Caller,
        settings: &Settings,
        ids: RequestIds,
    ) -> Result<Self, Rejection> {
        let agent = access::select_agent(caller, &settings.agents, &request.model, headers)?;
        access::check_header(caller, headers, SESSION_HEADER, |key| key.sessions)?;
        let user = request.user.as_ok().map(AsRef::as_ref);
        let rules = &settings.sessions;
        let session = session::select(headers, user, caller, &agent, rules, ids.session)?;
        access::check_model(caller, headers)?;
        access::check_header(caller, headers, CHANNEL_HEADER, |key| key.channel)?;
        let channel = header_text(headers, CHANNEL_HEADER)?;
        Ok(Self {
            agent,
            session,
            model: model_override(headers)?,
            channel: channel.map(|channel| channel.to_ascii_lowercase()),
        })
    }
}

/// Reads what is said, and leaves out what the session has heard.
fn conversation(
    messages: Messages<'_>,
    session: &SessionKey,
    caller: &Caller,
    settings: &Settings,
) -> Result<Vec<Message>, Rejection> {
    let messages = messages::messages(messages, &settings.image_urls)?;
    access::check_messages(caller, &messages)?;
    Ok(match session.continuity() {
        Continuity::Fresh => messages,
        Continuity::Continued => settings.history.select(messages),
    })
}

/// Returns the id of a run and of its answer.
fn run_id(id: Uuid) -> String {
    format!("chatcmpl_{id}")
}

fn root_type(found: Kind) -> Rejection {
    Rejection::Invalid {
        param: None,
        message: format!("The request body must be a JSON object, not {found}."),
    }
}

/// The model's string comes back byte for byte, `openclaw` where there is none.
fn echoed_model(model: &Member<Text<'_>>) -> String {
    model.as_ok().map_or("openclaw", AsRef::as_ref).to_owned()
}

fn mode(stream: &Member<bool>, options: &Member<StreamOptions>) -> Mode {
    if stream.as_ok() != Some(&true) {
        return Mode::Whole;
    }
    let include_usage = options
        .as_ok()
        .and_then(|options| options.include_usage.as_ok());
    Mode::Streamed {
        include_usage: include_usage == Some(&true),
    }
}

/// Checks the types of all members that are used, in the reference's order.
fn check_types(request: &ChatCompletionRequest<'_>) -> Result<(), Rejection> {
    not_null("model", "a string", &request.model)?;
    nullable("stream", "a boolean", &request.stream)?;
    nullable("stream_options", "an object", &request.stream_options)?;
    if let Member::Is(options) = &request.stream_options {
        not_null(
            "stream_options.include_usage",
            "a boolean",
            &options.include_usage,
        )?;
    }
    not_null("tools", "an array", &request.tools)?;
    not_null("messages", "an array", &request.messages)?;
    not_null("user", "a string", &request.user)?;
    sampling::check_cap("max_tokens", &request.max_tokens)?;
    sampling::check_cap("max_completion_tokens", &request.max_completion_tokens)?;
    nullable("temperature", "a number", &request.temperature)?;
    nullable("top_p", "a number", &request.top_p)?;
    nullable("frequency_penalty", "a number", &request.frequency_penalty)?;
    nullable("presence_penalty", "a number", &request.presence_penalty)?;
    nullable("seed", "a number", &request.seed)?;
    sampling::check_stop(&request.stop)
}

fn nullable<T>(param: &'static str, expected: &str, member: &Member<T>) -> Result<(), Rejection> {
    match member {
        Member::Not(kind) => Err(Rejection::wrong_type(param, expected, *kind)),
        Member::Absent | Member::Null | Member::Is(_) => Ok(()),
    }
}

fn not_null<T>(param: &'static str, expected: &str, member: &Member<T>) -> Result<(), Rejection> {
    match member {
        Member::Null => Err(Rejection::wrong_type(param, expected, Kind::Null)),
        Member::Absent | Member::Is(_) | Member::Not(_) => nullable(param, expected, member),
    }
}

/// Returns the trace that the request belongs to, if the header is well-formed.
///
/// Rules: W3C Trace Context, section 3.2.
fn traceparent(headers: &Headers) -> Option<String> {
    let value = headers.text("traceparent")?;
    let is_hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let parts: Vec<_> = value.split('-').collect();
    let well_formed = match parts.as_slice() {
        ["00", trace, parent, flags] => {
            let lengths = (trace.len(), parent.len(), flags.len()) == (32, 16, 2);
            let some = |part: &str| part.bytes().any(|byte| byte != b'0');
            lengths && is_hex(flags) && [trace, parent].iter().all(|p| is_hex(p) && some(p))
        }
        _ => false,
    };
    well_formed.then(|| value.to_owned())
}

/// Reads `x-openclaw-model`: `provider/model` or a bare model.
fn model_override(headers: &Headers) -> Result<Option<String>, Rejection> {
    let Some(model) = header_text(headers, MODEL_HEADER)? else {
        return Ok(None);
    };
    let (provider, name) = model.split_once('/').unwrap_or(("-", &model));
    if provider.trim().is_empty() || name.trim().is_empty() {
        return Err(Rejection::invalid(
            MODEL_HEADER,
            "Invalid `x-openclaw-model`. Use `provider/model`, or a model of the default provider.",
        ));
    }
    Ok(Some(model))
}

/// Returns a header's text to be handed on; a blank one is none.
fn header_text(headers: &Headers, name: &'static str) -> Result<Option<String>, Rejection> {
    let refuse = |why| Err(Rejection::invalid(name, format!("`{name}` {why}.")));
    match headers.text(name) {
        Some(text) if text.len() > HEADER_LIMIT => refuse("is longer than 256 bytes"),
        Some(text)
            if !text
                .bytes()
                .all(|byte| byte == b' ' || byte.is_ascii_graphic()) =>
        {
            refuse("must be plain ASCII text")
        }
        text => Ok(text.map(str::to_owned)),
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
