//! A run whose request passed every check.

use tidegate_json::{Kind, Member};
use uuid::Uuid;

use crate::access::permissions::{CHANNEL_HEADER, MODEL_HEADER, SESSION_HEADER};
use crate::access::{Caller, permissions};
use crate::agents::AGENT_HEADERS;
use crate::inbound::{Headers, JsonText};
use crate::openai::request::{ChatCompletionRequest, Messages, Raw, Text};
use crate::rejection::Rejection;
use crate::runtime::{Continuity, Message, RunRequest, ToolChoice};

use super::members::check_types;
use super::mode::Mode;
use super::rules::RunRules;
use super::session_key::SessionKey;
use super::target::Target;
use super::traceparent::traceparent;
use super::{messages, sampling, tools};

/// The random ids of a request.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestIds {
    /// The id of the run.
    pub run: Uuid,
    /// The id of a session that only this run has.
    pub session: Uuid,
}

/// A run whose request passed every check. Only [`ValidRun::read`] makes one.
#[derive(Debug)]
pub struct ValidRun {
    request: RunRequest,
    session: SessionKey,
    mode: Mode,
    model: String,
    ignored: Vec<&'static str>,
}

impl ValidRun {
    /// Turns the body and headers of a request into a run.
    ///
    /// # Errors
    /// The first rule that the request violates.
    pub fn read(
        body: Vec<u8>,
        headers: &Headers,
        caller: &Caller,
        rules: &RunRules,
        ids: RequestIds,
    ) -> Result<Self, Rejection> {
        let text = JsonText::decode(body)?;
        match text.parse()? {
            Member::Is(request) => Self::of(request, headers, caller, rules, ids),
            Member::Absent | Member::Null => Err(wrong_root(Kind::Null)),
            Member::Not(kind) => Err(wrong_root(kind)),
        }
    }

    fn of(
        request: ChatCompletionRequest<'_>,
        headers: &Headers,
        caller: &Caller,
        rules: &RunRules,
        ids: RequestIds,
    ) -> Result<Self, Rejection> {
        check_readable(headers, rules)?;
        permissions::check_headers(caller, headers)?;
        check_types(&request)?;
        let max_tokens = sampling::max_tokens(&request);
        let response_format = sampling::response_format(&request.response_format)?;
        let sampling = sampling::sampling(&request, max_tokens)?;
        let target = Target::find(&request, headers, caller, rules, ids.session)?;
        let (tools, tool_choice) = tools::tools(request.tools, request.tool_choice)?;
        permissions::check_tools(caller, &tools)?;
        let messages = request.messages.ok().unwrap_or_default();
        let messages = conversation(messages, &target.session, caller, rules)?;
        Ok(Self {
            request: RunRequest {
                run_id: format!("chatcmpl_{}", ids.run),
                agent: target.agent.into_string(),
                upstream: target.upstream.map(|upstream| upstream.as_str().to_owned()),
                authority: caller.authority(),
                session: target.session.to_string(),
                continuity: target.session.continuity(),
                messages,
                tools,
                tool_choice,
                parallel_tool_calls: request.parallel_tool_calls.ok(),
                sampling,
                response_format,
                reasoning_effort: request.reasoning_effort.ok().map(Text::into_owned),
                model: target.model,
                channel: target.channel,
                traceparent: traceparent(headers),
            },
            session: target.session,
            mode: Mode::read(&request.stream, &request.stream_options),
            model: echoed_model(&request.model),
            ignored: ignored(&request.ignored),
        })
    }

    /// Returns the `model` that the reply repeats.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Returns the members of the request that have no effect.
    #[must_use]
    pub fn ignored(&self) -> &[&'static str] {
        &self.ignored
    }

    /// Returns the mode of the reply.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Returns the tool choice, which the gateway enforces on the reply.
    #[must_use]
    pub fn tool_choice(&self) -> &ToolChoice {
        &self.request.tool_choice
    }

    /// Returns the id of the agent.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.request.agent
    }

    /// Returns the name of the runtime, unless it is the default one.
    #[must_use]
    pub fn upstream(&self) -> Option<&str> {
        self.request.upstream.as_deref()
    }

    /// Returns the session.
    #[must_use]
    pub fn session(&self) -> &SessionKey {
        &self.session
    }

    /// Returns the id of the run's trace (W3C Trace Context, section 3.2.2.3).
    #[must_use]
    pub fn trace(&self) -> Option<&str> {
        self.request.traceparent.as_deref()?.split('-').nth(1)
    }

    /// Returns the id of the run.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.request.run_id
    }

    /// Returns the request to the runtime.
    #[must_use]
    pub fn into_request(self) -> RunRequest {
        self.request
    }
}

/// Checks that every header that decides something can be read.
fn check_readable(headers: &Headers, rules: &RunRules) -> Result<(), Rejection> {
    let deciding = [SESSION_HEADER, MODEL_HEADER, CHANNEL_HEADER];
    let conversations = rules.sessions.conversation_headers.iter();
    let mut names = deciding.into_iter().chain(AGENT_HEADERS);
    names.try_for_each(|name| headers.check_readable(name))?;
    conversations
        .map(String::as_str)
        .try_for_each(|name| headers.check_readable(name))
}

/// Reads the messages, and removes those that the session already has.
fn conversation(
    messages: Messages<'_>,
    session: &SessionKey,
    caller: &Caller,
    rules: &RunRules,
) -> Result<Vec<Message>, Rejection> {
    let continuity = session.continuity();
    let messages = messages::messages(messages, rules, continuity)?;
    permissions::check_messages(caller, &messages)?;
    Ok(match continuity {
        Continuity::Fresh => messages,
        Continuity::Continued => rules.history.select(messages),
    })
}

fn wrong_root(found: Kind) -> Rejection {
    Rejection::Invalid {
        param: None,
        message: format!("The request body must be a JSON object, not {found}."),
    }
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
