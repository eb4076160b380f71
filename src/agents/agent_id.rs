//! Agent ids.

use std::fmt;

/// The id of an agent: `[a-z0-9][a-z0-9_-]{0,63}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AgentId(String);

impl AgentId {
    /// Parses an id of either case, with optional surrounding white space.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let id = text.trim().to_ascii_lowercase();
        let mut bytes = id.bytes();
        let starts = bytes.next().is_some_and(|b| b.is_ascii_alphanumeric());
        let continues = bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        (starts && continues && id.len() <= 64).then_some(Self(id))
    }

    /// Returns the id of OpenClaw's default agent.
    pub(super) fn main() -> Self {
        Self("main".to_owned())
    }

    /// Returns the id in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the id for the runtime interface.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
