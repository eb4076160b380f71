//! The target of a run: agent, session, model and channel.

use uuid::Uuid;

use crate::access::Caller;
use crate::access::permissions::{self, CHANNEL_HEADER, MODEL_HEADER, SESSION_HEADER};
use crate::agents::{AgentId, Upstream};
use crate::inbound::Headers;
use crate::openai::request::ChatCompletionRequest;
use crate::rejection::Rejection;

use super::background_task::{BackgroundTasks, is_background_task};
use super::rules::RunRules;
use super::session;
use super::session_key::SessionKey;

/// The maximum length of a header that the gateway forwards, in bytes.
const HEADER_LIMIT: usize = 256;

/// The target of a run.
pub(super) struct Target {
    /// The agent.
    pub(super) agent: AgentId,
    /// The runtime, unless it is the default one.
    pub(super) upstream: Option<Upstream>,
    /// The session.
    pub(super) session: SessionKey,
    /// The model that overrides the agent's own.
    pub(super) model: Option<String>,
    /// The message channel, in lower case.
    pub(super) channel: Option<String>,
}

impl Target {
    /// Finds the target in `model`, `user` and the headers.
    pub(super) fn find(
        request: &ChatCompletionRequest<'_>,
        headers: &Headers,
        caller: &Caller,
        rules: &RunRules,
        fresh: Uuid,
    ) -> Result<Self, Rejection> {
        let agent = permissions::select_agent(caller, &rules.agents, &request.model, headers)?;
        let user = request.user.as_ok().map(AsRef::as_ref);
        let sessions = &rules.sessions;
        let is_separate = sessions.background_tasks == BackgroundTasks::Fresh
            && headers.text(SESSION_HEADER).is_none()
            && is_background_task(request, headers);
        let session = if is_separate {
            SessionKey::fresh(&agent, fresh)
        } else {
            session::select(headers, user, caller, &agent, sessions, fresh)?
        };
        let channel = header_text(headers, CHANNEL_HEADER)?;
        let of_agent = || rules.upstreams.of_agent(&agent);
        Ok(Self {
            upstream: caller.upstream().cloned().or_else(of_agent),
            agent,
            session,
            model: model_override(headers)?,
            channel: channel.map(|channel| channel.to_ascii_lowercase()),
        })
    }
}

/// Reads `x-openclaw-model`: `provider/model` or a model alone.
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
