//! Authorization: what a caller may do.
//!
//! The gateway's token grants everything. An API key grants what it lists.

use tidegate_json::Member;

use crate::agents::{AgentId, Agents};
use crate::inbound::{Endpoint, Headers};
use crate::openai::request::Text;
use crate::rejection::{Quote, Rejection};
use crate::runtime::{Message, Tool};

use super::caller::{Caller, Identity};
use super::key::{Key, Permission};
use super::scopes::{SCOPES_HEADER, Scope};

/// The header that names a session.
pub const SESSION_HEADER: &str = "x-openclaw-session-key";

/// The header that chooses the agent's model.
pub const MODEL_HEADER: &str = "x-openclaw-model";

/// The header that names the message channel.
pub const CHANNEL_HEADER: &str = "x-openclaw-message-channel";

/// Returns the agents that exist for a caller.
#[must_use]
pub fn agents<'a>(caller: &'a Caller, all: &'a Agents) -> &'a Agents {
    key(caller).map_or(all, |key| &key.agents)
}

/// Selects the agent of a request among the caller's agents.
///
/// # Errors
/// Those of [`Agents::select`]. For an API key, an agent that it may not use is
/// answered like an unknown agent, with 404.
pub fn select_agent(
    caller: &Caller,
    all: &Agents,
    model: &Member<Text<'_>>,
    headers: &Headers,
) -> Result<AgentId, Rejection> {
    let selected = agents(caller, all).select(model, headers);
    match (key(caller), selected) {
        (Some(_), Err(Rejection::UnknownAgent(name))) => Err(Rejection::UnknownModel(name)),
        (_, selected) => selected,
    }
}

/// Checks the form of a model, before its agent is selected.
///
/// # Errors
/// An invalid model.
pub fn check_model(caller: &Caller, all: &Agents, model: &str) -> Result<(), Rejection> {
    agents(caller, all).check_model(model)
}

/// Checks that a caller may use an endpoint.
///
/// # Errors
/// A missing scope.
pub fn check_endpoint(caller: &Caller, endpoint: &Endpoint) -> Result<(), Rejection> {
    match endpoint {
        Endpoint::Run(_) | Endpoint::Embeddings | Endpoint::Response(_) | Endpoint::Cancel(_) => {
            check_scope(caller, Scope::Write)
        }
        Endpoint::Models | Endpoint::Model(_) => check_scope(caller, Scope::Read),
    }
}

/// Checks that a caller may send the headers of a request.
///
/// # Errors
/// A header that the API key does not allow, and [`MODEL_HEADER`] without its
/// scope.
pub fn check_headers(caller: &Caller, headers: &Headers) -> Result<(), Rejection> {
    if headers.text(MODEL_HEADER).is_some() {
        check_scope(caller, Scope::Admin)?;
    }
    let Some(key) = key(caller) else {
        return Ok(());
    };
    for (name, permission) in [
        (SESSION_HEADER, key.sessions),
        (MODEL_HEADER, key.model),
        (CHANNEL_HEADER, key.channel),
    ] {
        if permission == Permission::Denied && headers.text(name).is_some() {
            let message = format!("This API key may not set `{name}`.");
            return Err(Rejection::forbidden(name, message));
        }
    }
    Ok(())
}

fn check_scope(caller: &Caller, scope: Scope) -> Result<(), Rejection> {
    if caller.scopes().include(scope) {
        return Ok(());
    }
    let message = format!("This request needs the scope `{}`.", scope.name());
    Err(Rejection::forbidden(SCOPES_HEADER, message))
}

/// Checks that a caller may offer tools.
///
/// # Errors
/// The first tool that the API key does not allow.
pub fn check_tools(caller: &Caller, tools: &[Tool]) -> Result<(), Rejection> {
    let Some(key) = key(caller) else {
        return Ok(());
    };
    match tools.iter().find(|tool| !key.tools.allows(&tool.name)) {
        None => Ok(()),
        Some(tool) => {
            let name = Quote(&tool.name);
            let message = format!("This API key may not offer the tool `{name}`.");
            Err(Rejection::forbidden("tools", message))
        }
    }
}

/// Checks that a caller may send instructions, which are in the member `param`.
///
/// # Errors
/// A system or developer message that the API key does not allow.
pub fn check_messages(
    caller: &Caller,
    messages: &[Message],
    param: &'static str,
) -> Result<(), Rejection> {
    match key(caller) {
        Some(key)
            if key.instructions == Permission::Denied
                && messages.iter().any(Message::is_instruction) =>
        {
            Err(Rejection::forbidden(
                param,
                "This API key may not send system or developer messages.",
            ))
        }
        Some(_) | None => Ok(()),
    }
}

fn key(caller: &Caller) -> Option<&Key> {
    match caller.identity() {
        Identity::Key(key) => Some(key),
        Identity::Owner | Identity::Anyone | Identity::User(_) => None,
    }
}
