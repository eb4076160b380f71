//! Model names that name an agent.
//!
//! The forms are OpenClaw's: `openclaw`, `openclaw/default`, `openclaw/<agent>`,
//! `openclaw:<agent>` and `agent:<agent>`, all case-insensitive.

use super::agent_id::AgentId;

/// The agent that a model name means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Model {
    /// The default agent.
    Default,
    /// The agent with this id.
    Agent(AgentId),
}

impl Model {
    /// Parses a model name. Returns `None` for every other form.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let name = name.trim();
        if ["", "openclaw", "openclaw/default"]
            .iter()
            .any(|default| name.eq_ignore_ascii_case(default))
        {
            return Some(Self::Default);
        }
        let split = name.find(['/', ':'])?;
        let (scheme, rest) = name.split_at_checked(split)?;
        let separator = rest.chars().next()?;
        let is_known = scheme.eq_ignore_ascii_case("openclaw")
            || (separator == ':' && scheme.eq_ignore_ascii_case("agent"));
        let id = rest.strip_prefix(separator)?;
        // `AgentId` ignores surrounding white space, which a model must not contain.
        if !is_known || id.starts_with(char::is_whitespace) {
            return None;
        }
        AgentId::parse(id).map(Self::Agent)
    }
}
