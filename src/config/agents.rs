//! `agents`, `tidegate.defaultAgent` and `tidegate.models`.

use tidegate_config::Section;

use crate::agents::{AgentId, Agents};

/// Reads `agents.entries`, or the older `agents.list`.
pub(super) fn read_agents(agents: &mut Section<'_>, tidegate: &mut Section<'_>) -> Agents {
    let mut named = Vec::new();
    for (name, entry) in agents.entries("entries").unwrap_or_default() {
        named.extend(read_agent_id(&entry, "", &name));
    }
    for mut item in agents.items("list").unwrap_or_default() {
        let id = item.text("id").unwrap_or_default();
        named.extend(read_agent_id(&item, "id", &id));
    }
    let mut known = Vec::new();
    for id in named {
        if !known.contains(&id) {
            known.push(id);
        }
    }
    let declared = tidegate.text("defaultAgent").and_then(|name| {
        let id = read_agent_id(tidegate, "defaultAgent", &name)?;
        if !known.is_empty() && !known.contains(&id) {
            tidegate.fault("defaultAgent", "is not one of the configured agents");
            return None;
        }
        Some(id)
    });
    let aliases = read_aliases(tidegate, &known);
    Agents::new(known, declared).with_aliases(aliases)
}

/// Reads `tidegate.models`: aliases and their agents.
fn read_aliases(tidegate: &mut Section<'_>, known: &[AgentId]) -> Vec<(String, AgentId)> {
    let mut aliases = Vec::new();
    for (model, agent) in tidegate.text_entries("models").unwrap_or_default() {
        let id = AgentId::parse(&agent).filter(|id| known.is_empty() || known.contains(id));
        match id {
            Some(id) if !model.trim().is_empty() => aliases.push((model.trim().to_owned(), id)),
            Some(_) => tidegate.fault("models", "must not contain an empty model name"),
            None => tidegate.fault("models", "must contain only configured agents"),
        }
    }
    aliases
}

fn read_agent_id(section: &Section<'_>, key: &str, name: &str) -> Option<AgentId> {
    let id = AgentId::parse(name);
    if id.is_none() {
        section.fault(
            key,
            "is not a valid agent id: use up to 64 letters, digits, `_` and `-`",
        );
    }
    id
}
