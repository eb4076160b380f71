//! What a caller may do, asked before a run is made.
//!
//! The gateway's own token may do everything. A key has the agents that it
//! names and no others, and whatever else it may not do is refused with the
//! reason.

use tidegate_json::Member;

use crate::agent::{AgentId, Agents};
use crate::auth::{Caller, Rights, SCOPES_HEADER, Scope};
use crate::headers::Headers;
use crate::key::Permission;
use crate::openai::request::Text;
use crate::rejection::{Quote, Rejection};
use crate::route::Route;
use crate::runtime::{Message, Tool};

/// The header by which a caller chooses the agent's model.
pub const MODEL_HEADER: &str = "x-openclaw-model";

/// Returns the agents that exist for a caller.
#[must_use]
pub fn agents<'a>(caller: &'a Caller, all: &'a Agents) -> &'a Agents {
    match caller.rights() {
        Rights::All | Rights::Narrowed(_) => all,
        Rights::Scoped(key) => &key.agents,
    }
}

/// Chooses the agent of a request among those of the caller.
///
/// # Errors
/// Those of [`Agents::select`]; for a key, an agent that it may not use is
/// answered like one that does not exist, by 404.
pub fn select_agent(
    caller: &Caller,
    all: &Agents,
    model: &Member<Text<'_>>,
    headers: &Headers,
) -> Result<AgentId, Rejection> {
    let selected = agents(caller, all).select(model, headers);
    match (caller.rights(), selected) {
        (Rights::Scoped(_), Err(Rejection::UnknownAgent(name))) => {
            Err(Rejection::UnknownModel(name))
        }
        (_, selected) => selected,
    }
}

/// Checks that a caller may use a header, if it is there.
///
/// # Errors
/// A header that the caller's key does not allow.
pub fn check_header(
    caller: &Caller,
    headers: &Headers,
    name: &'static str,
    permission: impl Fn(&crate::key::Key) -> Permission,
) -> Result<(), Rejection> {
    match caller.rights() {
        Rights::Scoped(key)
            if permission(key) == Permission::Denied && headers.text(name).is_some() =>
        {
            Err(Rejection::forbidden(
                name,
                format!("This key may not set `{name}`."),
            ))
        }
        Rights::Scoped(_) | Rights::Narrowed(_) | Rights::All => Ok(()),
    }
}

/// Checks that a caller has not given up what an endpoint needs.
///
/// # Errors
/// A scope that is not among those that the request names.
pub fn check_route(caller: &Caller, route: &Route) -> Result<(), Rejection> {
    match route {
        Route::ChatCompletions => check_scope(caller, Scope::Write),
        Route::Models | Route::Model(_) => check_scope(caller, Scope::Read),
        Route::NotOffered | Route::Probe(_) => Ok(()),
    }
}

/// Checks that a caller may choose the agent's model, if it does.
///
/// # Errors
/// The header where the caller's key does not allow it, or the scope for it is
/// not among those that the request names.
pub fn check_model(caller: &Caller, headers: &Headers) -> Result<(), Rejection> {
    check_header(caller, headers, MODEL_HEADER, |key| key.model)?;
    match headers.text(MODEL_HEADER) {
        Some(_) => check_scope(caller, Scope::Admin),
        None => Ok(()),
    }
}

fn check_scope(caller: &Caller, scope: Scope) -> Result<(), Rejection> {
    match caller.rights() {
        Rights::Narrowed(scopes) if !scopes.hold(scope) => Err(Rejection::forbidden(
            SCOPES_HEADER,
            format!("This needs the scope `{}`.", scope.name()),
        )),
        Rights::Narrowed(_) | Rights::Scoped(_) | Rights::All => Ok(()),
    }
}

/// Checks that a caller may offer tools.
///
/// # Errors
/// The first tool that the caller's key does not allow.
pub fn check_tools(caller: &Caller, tools: &[Tool]) -> Result<(), Rejection> {
    let Rights::Scoped(key) = caller.rights() else {
        return Ok(());
    };
    match tools.iter().find(|tool| !key.tools.allows(&tool.name)) {
        None => Ok(()),
        Some(tool) => {
            let name = Quote(&tool.name);
            let message = format!("This key may not offer the tool `{name}`.");
            Err(Rejection::forbidden("tools", message))
        }
    }
}

/// Checks that a caller may send instructions.
///
/// # Errors
/// A system or developer message where the caller's key does not allow it.
pub fn check_messages(caller: &Caller, messages: &[Message]) -> Result<(), Rejection> {
    match caller.rights() {
        Rights::Scoped(key)
            if key.instructions == Permission::Denied
                && messages.iter().any(Message::instructs) =>
        {
            Err(Rejection::forbidden(
                "messages",
                "This key may not send system or developer messages.",
            ))
        }
        Rights::Scoped(_) | Rights::Narrowed(_) | Rights::All => Ok(()),
    }
}
