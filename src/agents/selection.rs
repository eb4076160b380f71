//! The agents of a gateway or of an API key, and the selection of one.

use tidegate_json::Member;

use crate::inbound::Headers;
use crate::openai::request::Text;
use crate::rejection::Rejection;

use super::agent_id::AgentId;
use super::model::Model;

/// The headers that select an agent. The first one that is not blank counts.
pub const AGENT_HEADERS: [&str; 2] = ["x-openclaw-agent-id", "x-openclaw-agent"];

/// The maximum length of `model`, in bytes. Every chunk of a stream repeats it.
const MODEL_LIMIT: usize = 256;

/// The agents that a request can select.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agents {
    known: Vec<AgentId>,
    default: Option<AgentId>,
    aliases: Vec<(String, AgentId)>,
    scope: Scope,
}

/// Whether the list of known agents is complete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Scope {
    /// There are no other agents.
    #[default]
    Listed,
    /// The runtime may have others.
    Open,
}

impl Agents {
    /// Makes a list of configured agents.
    ///
    /// The default agent is the declared one, else the only agent, else `main` if
    /// the list contains it. With an empty list, only the runtime knows the agents.
    #[must_use]
    pub fn new(known: Vec<AgentId>, declared: Option<AgentId>) -> Self {
        let main = AgentId::main();
        let implied = match known.as_slice() {
            [] => Some(main),
            [only] => Some(only.clone()),
            several => several.contains(&main).then_some(main),
        };
        let scope = if known.is_empty() {
            Scope::Open
        } else {
            Scope::Listed
        };
        Self {
            known,
            default: declared.or(implied),
            aliases: Vec::new(),
            scope,
        }
    }

    /// Adds other model names for agents.
    #[must_use]
    pub fn with_aliases(self, aliases: Vec<(String, AgentId)>) -> Self {
        Self { aliases, ..self }
    }

    /// Returns only the agents in `ids`. The default agent stays if `ids` contains
    /// it; else the only remaining agent is the default.
    #[must_use]
    pub fn narrowed(&self, ids: &[AgentId]) -> Self {
        let known = match self.known.as_slice() {
            [] => ids.to_vec(),
            known => known
                .iter()
                .filter(|id| ids.contains(id))
                .cloned()
                .collect(),
        };
        let default = self.default.clone().filter(|id| known.contains(id));
        let only = match known.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        };
        let aliases = self.aliases.iter().filter(|(_, id)| known.contains(id));
        Self {
            aliases: aliases.cloned().collect(),
            default: default.or(only),
            scope: Scope::Listed,
            known,
        }
    }

    /// Returns the aliases.
    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        self.aliases.iter().map(|(model, _)| model.as_str())
    }

    /// Returns all agents, or `None` if only the runtime knows them.
    #[must_use]
    pub fn known(&self) -> Option<&[AgentId]> {
        match self.scope {
            Scope::Listed => Some(&self.known),
            Scope::Open => None,
        }
    }

    /// Returns the default agent.
    #[must_use]
    pub fn default(&self) -> Option<&AgentId> {
        self.default.as_ref()
    }

    /// Selects the agent of a request. A header overrides the model, but the model
    /// must be valid even then.
    ///
    /// # Errors
    /// An invalid model, an unknown agent, and a request for the default agent if
    /// there is none.
    pub fn select(
        &self,
        model: &Member<Text<'_>>,
        headers: &Headers,
    ) -> Result<AgentId, Rejection> {
        let name = model.as_ok().map_or("", AsRef::as_ref);
        let model = self.model(name)?;
        if let Some(id) = AGENT_HEADERS.iter().find_map(|name| headers.text(name)) {
            let known = AgentId::parse(id).map(|id| self.find(id));
            return known.unwrap_or_else(|| Err(Rejection::UnknownAgent(id.to_owned())));
        }
        match model {
            Model::Agent(id) => self.find(id),
            Model::Default => self.default.clone().ok_or_else(|| {
                Rejection::invalid(
                    "model",
                    "Several agents are configured and none is the default. \
                     Select one with `openclaw/<agentId>`.",
                )
            }),
        }
    }

    /// Checks that a model has the form of an agent's model, or is an alias.
    ///
    /// # Errors
    /// An invalid model.
    pub fn check_model(&self, name: &str) -> Result<(), Rejection> {
        self.model(name).map(drop)
    }

    fn model(&self, name: &str) -> Result<Model, Rejection> {
        let invalid = |message: &str| Rejection::invalid("model", message);
        if name.len() > MODEL_LIMIT {
            return Err(invalid("Invalid `model`: it is longer than 256 bytes."));
        }
        let mut aliases = self.aliases.iter();
        let alias = aliases.find(|(alias, _)| alias == name.trim());
        let agent = alias.map(|(_, agent)| Model::Agent(agent.clone()));
        agent
            .or_else(|| Model::parse(name))
            .ok_or_else(|| invalid("Invalid `model`. Use `openclaw` or `openclaw/<agentId>`."))
    }

    fn find(&self, id: AgentId) -> Result<AgentId, Rejection> {
        if self.scope == Scope::Open || self.known.contains(&id) {
            Ok(id)
        } else {
            Err(Rejection::UnknownAgent(id.into_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;

    fn agents(ids: &[&str]) -> Agents {
        Agents::new(
            ids.iter().filter_map(|id| AgentId::parse(id)).collect(),
            None,
        )
    }

    fn select(
        agents: &Agents,
        model: &str,
        header: Option<&'static str>,
    ) -> Result<String, String> {
        let headers = header.map_or_else(Headers::default, |value| {
            Headers::from([("x-openclaw-agent-id", value)])
        });
        let model = Member::Is(Cow::Borrowed(model));
        let selected = agents.select(&model, &headers);
        selected
            .map(AgentId::into_string)
            .map_err(|rejection| rejection.to_string())
    }

    #[test]
    fn a_model_names_an_agent_in_every_form_and_case() {
        let agents = agents(&["main", "research"]);
        for (model, agent) in [
            ("openclaw", "main"),
            ("OpenClaw/Default", "main"),
            ("", "main"),
            ("  ", "main"),
            (" openclaw ", "main"),
            ("openclaw/research", "research"),
            ("openclaw:research", "research"),
            ("AGENT:Research", "research"),
        ] {
            assert_eq!(
                select(&agents, model, None).as_deref(),
                Ok(agent),
                "{model:?}"
            );
        }
    }

    #[test]
    fn a_model_of_another_form_is_rejected() {
        let agents = agents(&["main"]);
        let long = format!("openclaw/{}", "a".repeat(65));
        let padded = format!("openclaw{}", " ".repeat(249));
        for model in [
            "gpt-4o",
            "mock/mock-model",
            "openclaw/",
            "openclaw/-a",
            "openclaw/a b",
            "openclaw/main/x",
            "openclaw/ main",
            "agent/main",
            "openclawmain",
            "openclaw/mäin",
            &long,
            &padded,
        ] {
            let rejected = select(&agents, model, None).unwrap_err();
            assert!(
                rejected.starts_with("Invalid `model`"),
                "{model:?}: {rejected}"
            );
        }
    }

    #[test]
    fn the_rejection_names_the_unknown_agent() {
        let agents = agents(&["main"]);
        for (model, name) in [("openclaw/Nope", "'nope'"), ("agent:default", "'default'")] {
            let rejected = select(&agents, model, None).unwrap_err();
            assert!(rejected.contains(name), "{model}: {rejected}");
        }
    }

    #[test]
    fn the_header_overrides_a_valid_model() {
        let agents = agents(&["main", "research"]);
        assert_eq!(
            select(&agents, "openclaw/nope", Some(" Research ")).as_deref(),
            Ok("research")
        );
        assert_eq!(
            select(&agents, "openclaw/research", Some(" ")).as_deref(),
            Ok("research")
        );
        assert!(select(&agents, "gpt-4o", Some("main")).is_err());
        assert!(
            select(&agents, "openclaw", Some("Bad Name"))
                .unwrap_err()
                .contains("'Bad Name'")
        );
    }

    #[test]
    fn the_default_is_declared_or_the_only_agent_or_main() {
        let id = |text| AgentId::parse(text);
        assert_eq!(agents(&[]).default().cloned(), id("main"));
        assert_eq!(agents(&["solo"]).default().cloned(), id("solo"));
        assert_eq!(agents(&["a", "main"]).default().cloned(), id("main"));
        assert_eq!(agents(&["a", "b"]).default(), None);
        let declared = Agents::new(vec![id("a").unwrap(), id("b").unwrap()], id("b"));
        assert_eq!(declared.default().cloned(), id("b"));
    }

    #[test]
    fn an_alias_selects_its_agent() {
        let research = AgentId::parse("research").unwrap();
        let aliases = vec![("gpt-4o".to_owned(), research)];
        let agents = agents(&["main", "research"]).with_aliases(aliases);
        assert_eq!(select(&agents, " gpt-4o ", None).as_deref(), Ok("research"));
        assert_eq!(
            select(&agents, "gpt-4o", Some("main")).as_deref(),
            Ok("main")
        );
        assert!(select(&agents, "GPT-4o", None).is_err());
    }

    #[test]
    fn narrowing_removes_all_other_agents() {
        let ids =
            |names: &[&str]| -> Vec<_> { names.iter().filter_map(|n| AgentId::parse(n)).collect() };
        let all = agents(&["main", "a", "b"]);
        let one = all.narrowed(&ids(&["a", "gone"]));
        assert_eq!(one.known(), Some(&ids(&["a"])[..]));
        assert_eq!(select(&one, "openclaw", None).as_deref(), Ok("a"));
        assert!(select(&one, "openclaw/b", None).is_err());
        assert_eq!(
            select(&all.narrowed(&ids(&["main", "b"])), "", None).as_deref(),
            Ok("main")
        );
        assert!(select(&all.narrowed(&ids(&["a", "b"])), "", None).is_err());
        let none = all.narrowed(&[]);
        assert!(select(&none, "openclaw/a", None).is_err());
        assert!(select(&agents(&[]).narrowed(&[]), "openclaw/a", None).is_err());
    }

    #[test]
    fn without_a_default_a_request_must_select_an_agent() {
        let rejected = select(&agents(&["a", "b"]), "openclaw", None).unwrap_err();
        assert!(rejected.contains("openclaw/<agentId>"), "{rejected}");
    }

    #[test]
    fn without_configured_agents_every_agent_is_accepted() {
        assert_eq!(
            select(&agents(&[]), "openclaw/anyone", None).as_deref(),
            Ok("anyone")
        );
    }

    proptest! {
        #[test]
        fn any_model_selects_an_agent_or_is_rejected(
            model in "((openclaw|OpenClaw|agent)?[/: ]?)?(\\PC{0,8}|[a-zA-Z0-9_-]{0,70})"
        ) {
            match select(&agents(&[]), &model, None) {
                Ok(agent) => {
                    let read = AgentId::parse(&agent).map(AgentId::into_string);
                    prop_assert_eq!(read, Some(agent));
                }
                Err(rejected) => prop_assert!(rejected.contains("model"), "{}", rejected),
            }
        }

        #[test]
        fn every_id_is_selected_in_each_form(name in "[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}") {
            prop_assume!(!name.eq_ignore_ascii_case("default"));
            for form in ["openclaw/", "openclaw:", "agent:", " OPENCLAW/"] {
                let model = format!("{form}{name}");
                let agent = select(&agents(&[]), &model, None);
                prop_assert_eq!(agent, Ok(name.to_ascii_lowercase()));
            }
        }
    }
}
