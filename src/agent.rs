//! Agents, and how the OpenAI field `model` names one.
//!
//! Rules: OpenClaw's agent selection (`openclaw/<agent>`, `openclaw:<agent>`,
//! `agent:<agent>`, all without regard to case).

use std::fmt;

use tidegate_json::Member;

use crate::headers::Headers;
use crate::openai::request::Text;
use crate::rejection::Rejection;

/// The headers that name an agent; the first one that is not blank counts.
const AGENT_HEADERS: [&str; 2] = ["x-openclaw-agent-id", "x-openclaw-agent"];

/// The longest `model`, in bytes: every chunk of a stream repeats it.
const MODEL_LIMIT: usize = 256;

/// The agent that counts as the default where no agents are configured, as
/// OpenClaw itself has it.
const MAIN: &str = "main";

/// The name of an agent: `[a-z0-9][a-z0-9_-]{0,63}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AgentId(String);

impl AgentId {
    /// Reads a name in any case, without regard to space around it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let id = text.trim().to_ascii_lowercase();
        let mut bytes = id.bytes();
        let starts = bytes.next().is_some_and(|b| b.is_ascii_alphanumeric());
        let goes_on = bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        (starts && goes_on && id.len() <= 64).then_some(Self(id))
    }

    /// Returns the name, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name as the runtime contract takes it.
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

/// The agents that can be asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agents {
    known: Vec<AgentId>,
    default: Option<AgentId>,
    aliases: Vec<(String, AgentId)>,
    scope: Scope,
}

/// Whether there are agents beside the listed ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Scope {
    /// There are not.
    #[default]
    Listed,
    /// The runtime may have others.
    Open,
}

/// What a `model` asks for.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    Default,
    Agent(AgentId),
}

impl Agents {
    /// Makes the list of agents. Without a declared default it is the only
    /// agent, or else `main` if there is one. An empty list means that the
    /// runtime knows its agents and the gateway does not.
    #[must_use]
    pub fn new(known: Vec<AgentId>, declared: Option<AgentId>) -> Self {
        let only = match known.as_slice() {
            [] => Some(AgentId(MAIN.to_owned())),
            [only] => Some(only.clone()),
            several => several.iter().find(|id| id.as_str() == MAIN).cloned(),
        };
        let default = declared.or(only);
        let scope = if known.is_empty() {
            Scope::Open
        } else {
            Scope::Listed
        };
        Self {
            known,
            default,
            aliases: Vec::new(),
            scope,
        }
    }

    /// Lets other models stand for agents, for clients that insist on a name.
    #[must_use]
    pub fn with_aliases(self, aliases: Vec<(String, AgentId)>) -> Self {
        Self { aliases, ..self }
    }

    /// Returns the same agents, less those that are not among `ids`. The default
    /// stays if it is among them; else it is the only one that is left.
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

    /// Returns the models that stand for agents.
    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        self.aliases.iter().map(|(model, _)| model.as_str())
    }

    /// Returns the configured agents; none if the runtime has to be asked.
    #[must_use]
    pub fn known(&self) -> Option<&[AgentId]> {
        match self.scope {
            Scope::Listed => Some(&self.known),
            Scope::Open => None,
        }
    }

    /// Returns the agent that answers where none is named.
    #[must_use]
    pub fn default(&self) -> Option<&AgentId> {
        self.default.as_ref()
    }

    /// Chooses the agent of a request. A header beats the model; the model must
    /// be well-formed even then.
    ///
    /// # Errors
    /// A model that names no agent in any of the forms, an unknown agent, and a
    /// request that names none where there is no default.
    pub fn select(
        &self,
        model: &Member<Text<'_>>,
        headers: &Headers,
    ) -> Result<AgentId, Rejection> {
        let model = model.as_ok().map_or("", AsRef::as_ref);
        if model.len() > MODEL_LIMIT {
            return Err(Rejection::invalid(
                "model",
                "Invalid `model`: it is longer than 256 bytes.",
            ));
        }
        let target = self.target(model).ok_or_else(|| {
            Rejection::invalid(
                "model",
                "Invalid `model`. Use `openclaw` or `openclaw/<agentId>`.",
            )
        })?;
        match named_by_header(headers) {
            Some(name) => self.find(AgentId::parse(name), name),
            None => match target {
                Target::Agent(id) => {
                    let name = id.clone();
                    self.find(Some(id), name.as_str())
                }
                Target::Default => self.default.clone().ok_or_else(|| {
                    Rejection::invalid(
                        "model",
                        "Several agents are configured and none of them is the default. \
                         Name one as `openclaw/<agentId>`.",
                    )
                }),
            },
        }
    }

    fn target(&self, model: &str) -> Option<Target> {
        let mut aliases = self.aliases.iter();
        let alias = aliases.find(|(alias, _)| alias == model.trim());
        let alias = alias.map(|(_, agent)| Target::Agent(agent.clone()));
        alias.or_else(|| parse_model(model))
    }

    fn find(&self, id: Option<AgentId>, name: &str) -> Result<AgentId, Rejection> {
        let unknown = || match &id {
            Some(id) => Rejection::UnknownAgent(id.to_string()),
            None => Rejection::UnknownAgent(name.to_owned()),
        };
        let found = id
            .as_ref()
            .filter(|id| self.scope == Scope::Open || self.known.contains(id));
        found.cloned().ok_or_else(unknown)
    }
}

/// Tells whether a text has one of the forms of a model.
#[must_use]
pub fn is_model(text: &str) -> bool {
    parse_model(text).is_some()
}

fn named_by_header(headers: &Headers) -> Option<&str> {
    AGENT_HEADERS.iter().find_map(|name| headers.text(name))
}

fn parse_model(model: &str) -> Option<Target> {
    let model = model.trim();
    if ["", "openclaw", "openclaw/default"]
        .iter()
        .any(|name| model.eq_ignore_ascii_case(name))
    {
        return Some(Target::Default);
    }
    let split = model.find(['/', ':'])?;
    let (scheme, rest) = model.split_at_checked(split)?;
    let separator = rest.chars().next()?;
    let known_form = scheme.eq_ignore_ascii_case("openclaw")
        || (separator == ':' && scheme.eq_ignore_ascii_case("agent"));
    let name = rest.strip_prefix(separator)?;
    // White space inside the model is never part of a name.
    if !known_form || name.starts_with(char::is_whitespace) {
        return None;
    }
    AgentId::parse(name).map(Target::Agent)
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
    fn a_model_names_an_agent_in_any_form_and_case() {
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
    fn a_model_in_no_known_form_is_refused() {
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
            let refused = select(&agents, model, None).unwrap_err();
            assert!(
                refused.starts_with("Invalid `model`"),
                "{model:?}: {refused}"
            );
        }
    }

    #[test]
    fn an_unknown_agent_is_named() {
        let agents = agents(&["main"]);
        for (model, name) in [("openclaw/Nope", "'nope'"), ("agent:default", "'default'")] {
            let refused = select(&agents, model, None).unwrap_err();
            assert!(refused.contains(name), "{model}: {refused}");
        }
    }

    #[test]
    fn the_header_beats_the_model_but_not_its_syntax() {
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
    fn the_default_is_declared_or_the_only_one_or_main() {
        let id = |text| AgentId::parse(text);
        assert_eq!(agents(&[]).default().cloned(), id("main"));
        assert_eq!(agents(&["solo"]).default().cloned(), id("solo"));
        assert_eq!(agents(&["a", "main"]).default().cloned(), id("main"));
        assert_eq!(agents(&["a", "b"]).default(), None);
        let declared = Agents::new(vec![id("a").unwrap(), id("b").unwrap()], id("b"));
        assert_eq!(declared.default().cloned(), id("b"));
    }

    #[test]
    fn an_alias_stands_for_its_agent() {
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
    fn narrowed_agents_are_the_only_ones_that_exist() {
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
    fn without_a_default_a_request_must_name_its_agent() {
        let refused = select(&agents(&["a", "b"]), "openclaw", None).unwrap_err();
        assert!(refused.contains("openclaw/<agentId>"), "{refused}");
    }

    #[test]
    fn without_configured_agents_any_agent_may_be_asked_for() {
        assert_eq!(
            select(&agents(&[]), "openclaw/anyone", None).as_deref(),
            Ok("anyone")
        );
    }

    proptest! {
        #[test]
        fn any_model_names_a_proper_agent_or_is_refused(
            model in "((openclaw|OpenClaw|agent)?[/: ]?)?(\\PC{0,8}|[a-zA-Z0-9_-]{0,70})"
        ) {
            match select(&agents(&[]), &model, None) {
                Ok(agent) => {
                    let read = AgentId::parse(&agent).map(AgentId::into_string);
                    prop_assert_eq!(read, Some(agent));
                }
                Err(refused) => prop_assert!(refused.contains("model"), "{}", refused),
            }
        }

        #[test]
        fn every_name_of_an_agent_reaches_it_in_each_form(name in "[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}") {
            prop_assume!(!name.eq_ignore_ascii_case("default"));
            for form in ["openclaw/", "openclaw:", "agent:", " OPENCLAW/"] {
                let model = format!("{form}{name}");
                let agent = select(&agents(&[]), &model, None);
                prop_assert_eq!(agent, Ok(name.to_ascii_lowercase()));
            }
        }
    }
}
