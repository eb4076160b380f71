//! Agents, which clients see as models.
//!
//! ```text
//! agent_id   text                    -> AgentId
//! model      OpenAI's `model`        -> the default agent, or an AgentId
//! selection  model and headers       -> the agent of a request
//! list       agents                  -> the models of `/v1/models`
//! upstream   an agent                -> the runtime that carries out its runs
//! ```

mod agent_id;

mod list;
mod model;
mod selection;
mod upstream;

pub use agent_id::AgentId;

pub use list::{find, list};
pub use selection::{AGENT_HEADERS, Agents};
pub use upstream::{Upstream, Upstreams};
