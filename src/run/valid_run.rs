//! A run whose request passed every check.

use std::borrow::Cow;

use crate::runtime::{RunRequest, ToolChoice};

use super::mode::Mode;
use super::reply_form::{ReplyForm, ResponseForm};
use super::session_key::SessionKey;
use super::traceparent::trace_id;

/// A run whose request passed every check. Only [`ValidRun::read`] makes one.
#[derive(Debug)]
pub struct ValidRun {
    pub(super) request: RunRequest,
    pub(super) session: SessionKey,
    pub(super) mode: Mode,
    /// The `model` that the reply repeats.
    pub(super) model: String,
    /// The members that have no effect.
    pub(super) ignored: Vec<Cow<'static, str>>,
    /// The form of the reply.
    pub(super) form: ReplyForm,
}

impl ValidRun {
    /// Returns the `model` that the reply repeats.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Returns the members of the request that have no effect.
    #[must_use]
    pub fn ignored(&self) -> &[Cow<'static, str>] {
        &self.ignored
    }

    /// Takes the form of the reply, of which the rest of the run knows nothing.
    #[must_use]
    pub fn take_form(&mut self) -> ReplyForm {
        std::mem::take(&mut self.form)
    }

    /// Returns the form of a response, if the reply is one.
    #[must_use]
    pub fn response(&self) -> Option<&ResponseForm> {
        match &self.form {
            ReplyForm::Completion => None,
            ReplyForm::Response(form) => Some(form),
        }
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

    /// Returns the id of the run's trace.
    #[must_use]
    pub fn trace(&self) -> Option<&str> {
        trace_id(self.request.traceparent.as_deref())
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
