//! The reader of responses. Its checks have OpenClaw's order.
//!
//! ```text
//! members   types and values of the request's members
//! previous  `previous_response_id`       -> agent and session
//! format    `text.format`                -> the format of the text
//! toolbox   `tools`, and those of items  -> tools of the runtime interface, and their names
//! choice    `tool_choice`                -> the tools that the runtime gets, and its choice
//! items     `input`, `instructions`      -> messages of the runtime interface
//! repeated  the request                  -> what the response repeats
//! ```

mod choice;
mod format;
mod items;
mod members;
mod previous;
mod repeated;
mod toolbox;

use std::borrow::Cow;

use crate::access::permissions;
use crate::openai::request::Text;
use crate::openai::responses::ResponseRequest;
use crate::rejection::Rejection;
use crate::runtime::{Continuity, Message, RunRequest};

use super::context::Context;
use super::mode::Mode;
use super::reply_form::{Client, ReplyForm, ResponseForm};
use super::session_key::SessionKey;
use super::target::Target;
use super::valid_run::ValidRun;
use super::{echo, response_id};

use previous::Previous;
use toolbox::Toolbox;

/// The header by which Codex CLI is recognized.
const CODEX_HEADER: &str = "x-codex-turn-metadata";

/// Reads a request.
///
/// # Errors
/// The first rule that the request violates.
pub(super) fn read(
    mut request: ResponseRequest<'_>,
    context: &Context<'_>,
) -> Result<ValidRun, Rejection> {
    context.check_headers()?;
    members::check(&request)?;
    let sampling = members::sampling(&request)?;
    let response_format = format::read(&request.text)?;
    let previous = Previous::find(&request, context)?;
    let agent = previous::select_agent(&request, previous.as_ref(), context)?;
    let session = previous::select_session(&request, &agent, previous, context);
    let target = Target::find(agent, context)?;
    let mut ignored = echo::with_value(&request.no_effect);
    if items::has_references(&request.input) {
        ignored.push(Cow::Borrowed("input.item_reference"));
    }
    let (messages, toolbox) = content(&mut request, &session, context)?;
    let hosted = toolbox.hosted.iter();
    ignored.extend(hosted.map(|kind| Cow::Owned(format!("tools.{kind}"))));
    let names = toolbox.names();
    let (tools, tool_choice) = choice::choose(toolbox, &request.tool_choice)?;
    permissions::check_tools(context.caller, &tools)?;
    let session = session?;
    check_messages(&messages, context)?;
    let continuity = session.continuity();
    let form = ResponseForm {
        id: response_id(&request, &session, context),
        run: context.ids.run,
        echo: repeated::read(&request),
        names,
        background: request.background.as_ok() == Some(&true),
        store: request.store.as_ok().copied(),
        client: client(context),
    };
    Ok(ValidRun {
        mode: Mode::of(&request.stream),
        model: echo::model(&request.model),
        ignored,
        form: ReplyForm::Response(Box::new(form)),
        request: RunRequest {
            messages: context.rules.history.select(messages, continuity),
            tools,
            tool_choice,
            parallel_tool_calls: request.parallel_tool_calls.as_ok().copied(),
            sampling,
            response_format,
            reasoning_effort: members::effort(&request).map(Text::into_owned),
            ..target.request(format!("resp_{}", context.ids.run), &session, context)
        },
        session,
    })
}

/// Reads the messages and the tools. OpenClaw checks the messages first, and the session
/// after the tools.
fn content(
    request: &mut ResponseRequest<'_>,
    session: &Result<SessionKey, Rejection>,
    context: &Context<'_>,
) -> Result<(Vec<Message>, Toolbox), Rejection> {
    let continuity = session
        .as_ref()
        .map_or(Continuity::Fresh, SessionKey::continuity);
    let input = std::mem::take(&mut request.input);
    let toolbox = Toolbox::read(request.tools, items::tools(&input));
    let nameless = Toolbox::default();
    let names = toolbox.as_ref().unwrap_or(&nameless);
    let instructions = request.instructions.as_ok();
    let messages = items::messages(input, instructions, names, context.rules, continuity)?;
    Ok((messages, toolbox?))
}

fn check_messages(messages: &[Message], context: &Context<'_>) -> Result<(), Rejection> {
    if messages.iter().all(Message::is_instruction) {
        return Err(Rejection::invalid(
            "input",
            "Missing user message in `input`.",
        ));
    }
    permissions::check_messages(context.caller, messages, "input")
}

/// Returns the id of the response. It leads back to the session, unless the client does not
/// want that, or there is no secret.
fn response_id(
    request: &ResponseRequest<'_>,
    session: &SessionKey,
    context: &Context<'_>,
) -> String {
    let run = context.ids.run;
    match &context.rules.sessions.secret {
        Some(secret) if previous::is_kept(request) => {
            response_id::of_session(session, run, context.caller, secret)
        }
        Some(_) | None => response_id::without_session(run),
    }
}

fn client(context: &Context<'_>) -> Client {
    match context.headers.first(CODEX_HEADER) {
        Some(_) => Client::Codex,
        None => Client::Other,
    }
}

#[cfg(test)]
mod tests;
