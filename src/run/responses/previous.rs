//! The agent and session of a request, which may continue a response.

use tidegate_json::Member;

use crate::access::permissions;
use crate::agents::{AGENT_HEADERS, AgentId};
use crate::openai::request::Text;
use crate::openai::responses::ResponseRequest;
use crate::rejection::Rejection;
use crate::run::context::Context;
use crate::run::session_key::SessionKey;
use crate::run::{response_id, session};
use crate::runtime::Continuity;

/// The response that a request continues.
pub(super) struct Previous {
    agent: AgentId,
    session: SessionKey,
}

impl Previous {
    /// Finds the response of `previous_response_id`.
    ///
    /// # Errors
    /// An id that is not the caller's, and `conversation` together with an id.
    pub(super) fn find(
        request: &ResponseRequest<'_>,
        context: &Context<'_>,
    ) -> Result<Option<Self>, Rejection> {
        let Some(id) = request.previous_response_id.as_ok() else {
            return Ok(None);
        };
        if let Member::Is(_) = request.conversation {
            return Err(Rejection::invalid(
                "previous_response_id",
                "`previous_response_id` and `conversation` both name a session. Send one of them.",
            ));
        }
        let secret = context.rules.sessions.secret.as_ref();
        let secret = secret.ok_or(Rejection::ResponsesNotKept)?;
        let found = response_id::session(id, context.caller, secret);
        let (agent, session) = found.ok_or(Rejection::UnknownResponse)?;
        Ok(Some(Self { agent, session }))
    }
}

/// Selects the agent: the request's, or the agent of the response that the request continues.
///
/// # Errors
/// The errors of [`permissions::select_agent`], and a response of another agent.
pub(super) fn select_agent(
    request: &ResponseRequest<'_>,
    previous: Option<&Previous>,
    context: &Context<'_>,
) -> Result<AgentId, Rejection> {
    let (headers, agents) = (context.headers, &context.rules.agents);
    let select = |model: &Member<Text<'_>>| {
        permissions::select_agent(context.caller, agents, model, headers)
    };
    let Some(previous) = previous else {
        return select(&request.model);
    };
    let names_model = request
        .model
        .as_ok()
        .is_some_and(|model| !model.trim().is_empty());
    let names_agent = names_model
        || AGENT_HEADERS
            .iter()
            .any(|name| headers.text(name).is_some());
    let selected = match names_agent {
        true => select(&request.model)?,
        // The caller may have lost the agent since then.
        false => select(&Member::Is(format!("agent:{}", previous.agent).into()))
            .map_err(|_| Rejection::UnknownResponse)?,
    };
    match selected == previous.agent {
        true => Ok(selected),
        false => Err(Rejection::UnknownResponse),
    }
}

/// Selects the session of the response that the request continues, or the session that the
/// rest of the request names.
///
/// # Errors
/// An invalid name of a session, and two names of different sessions.
pub(super) fn select_session(
    request: &ResponseRequest<'_>,
    agent: &AgentId,
    previous: Option<Previous>,
    context: &Context<'_>,
) -> Result<SessionKey, Rejection> {
    let user = request.user.as_ok().map(AsRef::as_ref);
    let named = session::select(agent, conversation(request)?, user, context)?;
    let Some(previous) = previous else {
        let leads_back = context.rules.sessions.secret.is_some() && is_kept(request);
        return Ok(match leads_back {
            true => named.opened(),
            false => named,
        });
    };
    match named.continuity() {
        Continuity::Continued if named != previous.session => Err(Rejection::invalid(
            "previous_response_id",
            "`previous_response_id` belongs to another session than the rest of the request names. Send one of them.",
        )),
        Continuity::Continued | Continuity::Fresh | Continuity::Opening => Ok(previous.session),
    }
}

/// Returns whether a later request may continue the response.
pub(super) fn is_kept(request: &ResponseRequest<'_>) -> bool {
    request.store.as_ok() != Some(&false)
}

/// Returns the id of the conversation.
fn conversation<'r>(request: &'r ResponseRequest<'_>) -> Result<Option<&'r str>, Rejection> {
    let Member::Is(conversation) = &request.conversation else {
        return Ok(None);
    };
    let id = conversation.id.as_ok().map(|id| id.trim());
    match id.filter(|id| !id.is_empty()) {
        Some(id) => Ok(Some(id)),
        None => Err(Rejection::invalid(
            "conversation",
            "`conversation` must be an id or an object with an `id`, which must not be empty.",
        )),
    }
}
