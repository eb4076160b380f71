//! Models: what `/v1/models` lists. Every agent is one.
//!
//! Source: OpenAI's API reference, "Models".

use serde::Serialize;

use crate::agent::{AgentId, Agents};

/// The answer of `GET /v1/models`.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct ModelList {
    /// Always `list`.
    pub object: &'static str,
    /// The models.
    pub data: Vec<Model>,
}

/// One model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Model {
    /// What to put into a request's `model`.
    pub id: String,
    /// Always `model`.
    pub object: &'static str,
    /// Always 0: agents have no date.
    pub created: u64,
    /// Always `openclaw`.
    pub owned_by: &'static str,
    /// Always empty; older clients expect it.
    pub permission: [(); 0],
}

impl Model {
    fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            object: "model",
            created: 0,
            owned_by: "openclaw",
            permission: [],
        }
    }
}

impl ModelList {
    /// Lists agents as models: first the two names of the default agent, if
    /// there is one, then `openclaw/<agent>` for each, and then the aliases.
    #[must_use]
    pub fn of(agents: &Agents, names: &[AgentId]) -> Self {
        let default = agents.default().map(|_| ["openclaw", "openclaw/default"]);
        let default = default.into_iter().flatten().map(Model::new);
        let each = names
            .iter()
            .map(|agent| Model::new(format!("openclaw/{agent}")));
        let aliases = agents.aliases().map(Model::new);
        Self {
            object: "list",
            data: default.chain(each).chain(aliases).collect(),
        }
    }

    /// Finds a model by its exact id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Model> {
        self.data.iter().find(|model| model.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(names: &[&str]) -> Vec<String> {
        let names: Vec<_> = names
            .iter()
            .filter_map(|name| AgentId::parse(name))
            .collect();
        let list = ModelList::of(&Agents::new(names.clone(), None), &names);
        list.data.into_iter().map(|model| model.id).collect()
    }

    #[test]
    fn the_default_comes_first_and_every_agent_after_it() {
        assert_eq!(
            ids(&["main", "research"]),
            [
                "openclaw",
                "openclaw/default",
                "openclaw/main",
                "openclaw/research"
            ]
        );
    }

    #[test]
    fn names_that_no_request_could_use_are_not_listed() {
        assert_eq!(ids(&["a", "b"]), ["openclaw/a", "openclaw/b"]);
    }
}
