//! The models of a backend: the model of each agent, and the agents in its
//! `GET /v1/models`.

use std::borrow::Cow;

use tidegate_config::Section;
use tidegate_json::{Member, object_shape};

use crate::types::{Agent, RunError};

/// The maximum size of the list, in bytes: some thousand agents.
pub const LIST_LIMIT: usize = 1024 * 1024;

/// The prefix of an agent's model.
const MODEL_PREFIX: &str = "openclaw/";

/// OpenClaw's name of the default agent. OpenClaw lists it even if there is no default.
const DEFAULT_ALIAS: &str = "default";

/// The models of agents: `openclaw/<agent>`, unless another one is configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Models(Vec<(String, String)>);

impl Models {
    /// Reads `models`: agents and their models.
    pub(crate) fn read(section: &mut Section<'_>) -> Self {
        let entries = section.text_entries("models").unwrap_or_default();
        if entries.iter().any(|(_, model)| model.trim().is_empty()) {
            section.fault("models", "must not contain an empty model name");
        }
        let lower = |(agent, model): (String, String)| (agent.to_ascii_lowercase(), model);
        Self(entries.into_iter().map(lower).collect())
    }

    /// Returns the model of an agent.
    #[must_use]
    pub fn of_agent(&self, agent: &str) -> Cow<'_, str> {
        match self.0.iter().find(|(name, _)| name == agent) {
            Some((_, model)) => Cow::Borrowed(model),
            None => Cow::Owned(format!("{MODEL_PREFIX}{agent}")),
        }
    }

    /// Returns whether OpenClaw carries out the runs of an agent: no other model is
    /// configured for it.
    #[must_use]
    pub fn are_openclaws(&self, agent: &str) -> bool {
        !self.0.iter().any(|(name, _)| name == agent)
    }

    /// Adds the agents of a model.
    fn add_agents(&self, model: &str, agents: &mut Vec<Agent>) {
        let mut add = |agent: &str| {
            agents.push(Agent {
                id: agent.to_owned(),
            });
        };
        for (agent, name) in &self.0 {
            if name == model {
                add(agent);
            }
        }
        if let Some(agent) = model.strip_prefix(MODEL_PREFIX)
            && agent != DEFAULT_ALIAS
            && self.0.iter().all(|(named, _)| named != agent)
        {
            add(agent);
        }
    }
}

#[derive(Default)]
struct List<'de> {
    data: Member<Vec<Member<Model<'de>>>>,
}

object_shape!(List<'de> {
    "data" => data,
});

#[derive(Default)]
struct Model<'de> {
    id: Member<Cow<'de, str>>,
}

object_shape!(Model<'de> {
    "id" => id,
});

/// Parses the list of models. Models of other backends are not agents and are skipped.
///
/// # Errors
/// A body that is not a list of models.
pub fn parse_agents(body: &[u8], models: &Models) -> Result<Vec<Agent>, RunError> {
    let names = model_names(body)
        .ok_or_else(|| RunError::Failed("the backend's list of models is invalid".to_owned()))?;
    let mut agents = Vec::new();
    for name in &names {
        models.add_agents(name, &mut agents);
    }
    Ok(agents)
}

fn model_names(body: &[u8]) -> Option<Vec<Cow<'_, str>>> {
    let text = str::from_utf8(body).ok()?;
    let list: List<'_> = tidegate_json::parse(text).ok()?.ok()?;
    let models = list.data.ok()?.into_iter();
    models.map(|model| model.ok()?.id.ok()).collect()
}

#[cfg(test)]
mod tests {
    use tidegate_config::Document;

    use super::*;

    fn models(members: &str) -> Models {
        let text = format!("{{ models: {{ {members} }} }}");
        let document = Document::parse(&text).unwrap();
        document.read(Models::read).unwrap()
    }

    fn ids(body: &str) -> Vec<String> {
        ids_of(body, &Models::default())
    }

    fn ids_of(body: &str, models: &Models) -> Vec<String> {
        let agents = parse_agents(body.as_bytes(), models).unwrap();
        agents.into_iter().map(|agent| agent.id).collect()
    }

    #[test]
    fn agents_are_listed_without_their_aliases() {
        let body = r#"{"object":"list","data":[
            {"id":"openclaw","object":"model","created":0,"owned_by":"openclaw","permission":[]},
            {"id":"openclaw/default","object":"model"},
            {"id":"openclaw/main","object":"model"},
            {"id":"openclaw/research","object":"model"}]}"#;
        assert_eq!(ids(body), ["main", "research"]);
    }

    #[test]
    fn other_models_are_not_agents() {
        let empty = [""; 0];
        assert_eq!(ids(r#"{"data":[{"id":"llama3:8b"},{"id":"gpt"}]}"#), empty);
        assert_eq!(ids(r#"{"data":[]}"#), empty);
    }

    #[test]
    fn an_agent_has_its_configured_model() {
        let models = models("main: 'llama3:8b', Research: 'llama3:8b', openclaw: 'gpt-oss'");
        let cases = [
            ("main", "llama3:8b"),
            ("research", "llama3:8b"),
            ("openclaw", "gpt-oss"),
            ("other", "openclaw/other"),
        ];
        for (agent, model) in cases {
            assert_eq!(models.of_agent(agent), model, "{agent}");
        }
    }

    #[test]
    fn a_configured_model_lists_its_agents_only() {
        let models = models("main: 'llama3:8b', beta: 'llama3:8b', gone: 'gpt'");
        let body = r#"{"data":[{"id":"openclaw/main"},{"id":"openclaw/other"},
            {"id":"llama3:8b"},{"id":"mistral"}]}"#;
        assert_eq!(ids_of(body, &models), ["other", "main", "beta"]);
    }

    #[test]
    fn an_empty_model_name_is_a_fault() {
        let document = Document::parse("{ models: { main: ' ' } }").unwrap();
        let faults = document.read(Models::read).unwrap_err();
        assert_eq!(
            faults.to_string(),
            "models: must not contain an empty model name"
        );
    }

    #[test]
    fn another_body_is_an_error() {
        for body in ["", "{}", "[]", r#"{"data":null}"#, r#"{"data":[{}]}"#] {
            let list = parse_agents(body.as_bytes(), &Models::default());
            assert!(list.is_err(), "{body}");
        }
    }
}
