//! What a run depends on besides the body of its request.

use crate::access::Caller;
use uuid::Uuid;

use crate::access::permissions::{self, CHANNEL_HEADER, MODEL_HEADER, SESSION_HEADER};
use crate::agents::{AGENT_HEADERS, AgentId, Upstream};
use crate::inbound::Headers;
use crate::rejection::Rejection;

use super::rules::RunRules;

/// The random ids of a request.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestIds {
    /// The id of the run.
    pub run: Uuid,
    /// The id of a session that only this run has.
    pub session: Uuid,
}

/// The headers of a request, who sends it, and the operator's rules.
#[derive(Clone, Copy)]
pub(super) struct Context<'c> {
    pub(super) headers: &'c Headers,
    pub(super) caller: &'c Caller,
    pub(super) rules: &'c RunRules,
    pub(super) ids: RequestIds,
}

impl Context<'_> {
    /// Returns the runtime of an agent's runs: the caller's, else the agent's, else the
    /// default one.
    pub(super) fn upstream(&self, agent: &AgentId) -> Option<Upstream> {
        let of_agent = || self.rules.upstreams.of_agent(agent);
        self.caller.upstream().cloned().or_else(of_agent)
    }

    /// Checks the headers that decide something: each can be read, and the caller may send
    /// it.
    ///
    /// # Errors
    /// The first header that violates a rule.
    pub(super) fn check_headers(&self) -> Result<(), Rejection> {
        let deciding = [SESSION_HEADER, MODEL_HEADER, CHANNEL_HEADER];
        let conversations = self.rules.sessions.conversation_headers.iter();
        let conversations = conversations.map(String::as_str);
        let mut names = deciding
            .into_iter()
            .chain(AGENT_HEADERS)
            .chain(conversations);
        names.try_for_each(|name| self.headers.check_readable(name))?;
        permissions::check_headers(self.caller, self.headers)
    }
}
