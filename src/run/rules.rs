//! The operator's rules for runs.

use crate::agents::{Agents, Upstreams};

use super::history::History;
use super::images::ApiUrls;
use super::session_rules::SessionRules;

/// The rules by which a request becomes a run.
#[derive(Clone)]
pub struct RunRules {
    /// The agents that a request can select.
    pub agents: Agents,
    /// The runtimes of agents.
    pub upstreams: Upstreams,
    /// How the gateway derives session keys.
    pub sessions: SessionRules,
    /// How much of a resent conversation the gateway forwards.
    pub history: History,
    /// Which image URLs the gateway forwards.
    pub image_urls: ApiUrls,
    /// The maximum size of a text file in a message, in bytes.
    pub text_file_limit: usize,
}
