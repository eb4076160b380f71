//! The reader of chat completions. Its checks have OpenClaw's order.

use crate::access::permissions::{self, SESSION_HEADER};
use crate::agents::AgentId;
use crate::openai::request::{ChatCompletionRequest, Messages, Text};
use crate::rejection::Rejection;
use crate::runtime::{Message, RunRequest};

use super::background_task::{BackgroundTasks, is_background_task};
use super::context::Context;
use super::members::check_types;
use super::mode::Mode;
use super::reply_form::ReplyForm;
use super::session_key::SessionKey;
use super::target::Target;
use super::valid_run::ValidRun;
use super::{echo, messages, sampling, session, tools};

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
    let target = Target::find(agent, context)?;
    let (tools, tool_choice) = tools::tools(request.tools, request.tool_choice)?;
    permissions::check_tools(caller, &tools)?;
    let messages = request.messages.ok().unwrap_or_default();
    let messages = conversation(messages, &session, context)?;
    Ok(ValidRun {
        mode: Mode::read(&request.stream, &request.stream_options),
        model: echo::model(&request.model),
        ignored: echo::with_value(&request.ignored),
        form: ReplyForm::Completion,
        request: RunRequest {
            messages,
            tools,
            tool_choice,
            parallel_tool_calls: request.parallel_tool_calls.ok(),
            sampling,
            response_format,
            reasoning_effort: request.reasoning_effort.ok().map(Text::into_owned),
            ..target.request(format!("chatcmpl_{}", context.ids.run), &session, context)
        },
        session,
    })
}

/// Selects the session. A background task of Open WebUI has its own.
fn select_session(
    request: &ChatCompletionRequest<'_>,
    agent: &AgentId,
    context: &Context<'_>,
) -> Result<SessionKey, Rejection> {
    let headers = context.headers;
    let is_separate = context.rules.sessions.background_tasks == BackgroundTasks::Fresh
        && headers.text(SESSION_HEADER).is_none()
        && is_background_task(request, headers);
    if is_separate {
        return Ok(SessionKey::fresh(agent, context.ids.session));
    }
    let user = request.user.as_ok().map(AsRef::as_ref);
    session::select(agent, None, user, context)
}

/// Reads the messages, and removes those that the session already has.
fn conversation(
    messages: Messages<'_>,
    session: &SessionKey,
    context: &Context<'_>,
) -> Result<Vec<Message>, Rejection> {
    let continuity = session.continuity();
    let messages = messages::messages(messages, context.rules, continuity)?;
    permissions::check_messages(context.caller, &messages, "messages")?;
    Ok(context.rules.history.select(messages, continuity))
}
