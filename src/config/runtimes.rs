//! `tidegate.runtimes`: which runtime carries out which runs. The runtime component reads the
//! other keys of each.

use tidegate_config::Section;

use crate::agents::{AgentId, Agents, Upstreams};

/// The maximum number of runtimes.
const LIMIT: usize = 100;

/// Reads the names of the runtimes and their agents.
pub(super) fn read_runtimes(tidegate: &mut Section<'_>, agents: &Agents) -> Upstreams {
    let mut upstreams = Upstreams::default();
    let runtimes = tidegate.entries("runtimes").unwrap_or_default();
    if runtimes.len() > LIMIT {
        tidegate.fault("runtimes", "must contain at most 100 runtimes");
        return upstreams;
    }
    for (name, mut runtime) in runtimes {
        if AgentId::parse(&name).is_none_or(|id| id.as_str() != name) {
            runtime.fault(
                "",
                "is not a valid name: use up to 64 lower-case letters, digits, `_` and `-`",
            );
        }
        let own = read_own_agents(&mut runtime, agents, &upstreams);
        upstreams.add(&name, own);
    }
    upstreams
}

fn read_own_agents(runtime: &mut Section<'_>, all: &Agents, others: &Upstreams) -> Vec<AgentId> {
    let mut own = Vec::new();
    for name in runtime.texts("agents").unwrap_or_default() {
        let is_known = |id: &AgentId| all.known().is_none_or(|known| known.contains(id));
        match AgentId::parse(&name).filter(is_known) {
            None => runtime.fault("agents", "must contain only configured agents"),
            Some(id) if others.of_agent(&id).is_some() => {
                runtime.fault("agents", "must not contain an agent of another runtime");
            }
            Some(id) => own.push(id),
        }
    }
    own
}
