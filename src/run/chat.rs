//! The reader of chat completions. Its checks have OpenClaw's order.

use tidegate_json::Member;

use crate::access::permissions::{self, SESSION_HEADER};
use crate::agents::AgentId;
use crate::openai::request::{ChatCompletionRequest, Messages, Raw, Text};
use crate::rejection::Rejection;
use crate::runtime::{Continuity, Message, RunRequest};

use super::background_task::{BackgroundTasks, is_background_task};
use super::context::Context;
use super::members::check_types;
use super::mode::Mode;
use super::session_key::SessionKey;
use super::target::Target;
use super::valid_run::ValidRun;
use super::{messages, sampling, session, tools};

/// Reads a request.
///
/// # Errors
/// The first rule that the request violates.
pub(super) fn read(
    request: ChatCompletionRequest<'_>,
    context: &Context<'_>,
) -> Result<ValidRun, Rejection> {
    let Context { caller, rules, .. } = *context;
    context.check_headers()?;
    check_types(&request)?;
    let max_tokens = sampling::max_tokens(&request);
    let response_format = sampling::response_format(&request.response_format)?;
    let sampling = sampling::sampling(&request, max_tokens)?;
    let agent = permissions::select_agent(caller, &rules.agents, &request.model, context.headers)?;
    let session = select_session(&request, &agent, context)?;
    let target = Target::find(agent, session, context)?;
    let (tools, tool_choice) = tools::tools(request.tools, request.tool_choice)?;
    permissions::check_tools(caller, &tools)?;
    let messages = request.messages.ok().unwrap_or_default();
    let messages = conversation(messages, target.session(), context)?;
    Ok(ValidRun {
        mode: Mode::read(&request.stream, &request.stream_options),
        model: echoed_model(&request.model),
        ignored: ignored(&request.ignored),
        session: target.session().clone(),
        request: RunRequest {
            messages,
            tools,
            tool_choice,
            parallel_tool_calls: request.parallel_tool_calls.ok(),
            sampling,
            response_format,
            reasoning_effort: request.reasoning_effort.ok().map(Text::into_owned),
            ..target.request(format!("chatcmpl_{}", context.ids.run), context)
        },
    })
}

/// Selects the session. A background task of Open WebUI has its own.
fn select_session(
    request: &ChatCompletionRequest<'_>,
    agent: &AgentId,
    context: &Context<'_>,
) -> Result<SessionKey, Rejection> {
    let Context {
        headers, caller, ..
    } = *context;
    let (sessions, fresh) = (&context.rules.sessions, context.ids.session);
    let is_separate = sessions.background_tasks == BackgroundTasks::Fresh
        && headers.text(SESSION_HEADER).is_none()
        && is_background_task(request, headers);
    if is_separate {
        return Ok(SessionKey::fresh(agent, fresh));
    }
    let user = request.user.as_ok().map(AsRef::as_ref);
    session::select(headers, user, caller, agent, sessions, fresh)
}

/// Reads the messages, and removes those that the session already has.
fn conversation(
    messages: Messages<'_>,
    session: &SessionKey,
    context: &Context<'_>,
) -> Result<Vec<Message>, Rejection> {
    let continuity = session.continuity();
    let messages = messages::messages(messages, context.rules, continuity)?;
    permissions::check_messages(context.caller, &messages)?;
    Ok(match continuity {
        Continuity::Fresh => messages,
        Continuity::Continued => context.rules.history.select(messages),
    })
}

/// Returns the names of members that have a value.
fn ignored(members: &[(&'static str, Raw<'_>)]) -> Vec<&'static str> {
    let with_value = members.iter().filter(|(_, value)| value.is_some());
    with_value.map(|(name, _)| *name).collect()
}

/// The reply repeats the string `model` unchanged. It says `openclaw` if there is no
/// such string.
fn echoed_model(model: &Member<Text<'_>>) -> String {
    model.as_ok().map_or("openclaw", AsRef::as_ref).to_owned()
}
