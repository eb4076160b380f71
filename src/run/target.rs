//! The target of a run: agent, runtime, model and channel.

use crate::access::permissions::{CHANNEL_HEADER, MODEL_HEADER};
use crate::agents::{AgentId, Upstream};
use crate::inbound::Headers;
use crate::rejection::Rejection;
use crate::runtime::{RunRequest, Sampling, ToolChoice};

use super::context::Context;
use super::session_key::SessionKey;
use super::traceparent::traceparent;

/// The maximum length of a header that the gateway forwards, in bytes.
const HEADER_LIMIT: usize = 256;

/// The target of a run.
pub(super) struct Target {
    agent: AgentId,
    /// The runtime, unless it is the default one.
    upstream: Option<Upstream>,
    /// The model that overrides the agent's own.
    model: Option<String>,
    /// The message channel, in lower case.
    channel: Option<String>,
}

impl Target {
    /// Finds the rest of the target of a run of an agent.
    ///
    /// # Errors
    /// A header that names no model or no channel.
    pub(super) fn find(agent: AgentId, context: &Context<'_>) -> Result<Self, Rejection> {
        let channel = header_text(context.headers, CHANNEL_HEADER)?;
        Ok(Self {
            upstream: context.upstream(&agent),
            agent,
            model: model_override(context.headers)?,
            channel: channel.map(|channel| channel.to_ascii_lowercase()),
        })
    }

    /// Returns a request to the target in a session, without a conversation.
    pub(super) fn request(
        self,
        run_id: String,
        session: &SessionKey,
        context: &Context<'_>,
    ) -> RunRequest {
        RunRequest {
            run_id,
            agent: self.agent.into_string(),
            upstream: self.upstream.map(|upstream| upstream.as_str().to_owned()),
            authority: context.caller.authority(),
            session: session.to_string(),
            continuity: session.continuity(),
            messages: Vec::new(),
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            parallel_tool_calls: None,
            sampling: Sampling::default(),
            response_format: None,
            reasoning_effort: None,
            model: self.model,
            channel: self.channel,
            traceparent: traceparent(context.headers),
        }
    }
}

/// Reads `x-openclaw-model`: `provider/model` or a model alone.
///
/// # Errors
/// A value without a model, and one that is long or not plain ASCII text.
pub(super) fn model_override(headers: &Headers) -> Result<Option<String>, Rejection> {
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

/// Returns the text of a header that the gateway forwards. A blank header counts as
/// missing.
fn header_text(headers: &Headers, name: &'static str) -> Result<Option<String>, Rejection> {
    let reject = |why| Err(Rejection::invalid(name, format!("`{name}` {why}.")));
    match headers.text(name) {
        Some(text) if text.len() > HEADER_LIMIT => reject("is longer than 256 bytes"),
        Some(text)
            if !text
                .bytes()
                .all(|byte| byte == b' ' || byte.is_ascii_graphic()) =>
        {
            reject("must be plain ASCII text")
        }
        text => Ok(text.map(str::to_owned)),
    }
}
