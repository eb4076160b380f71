//! The gateway's part of the configuration document, as typed values.
//!
//! OpenClaw's own sections are read as OpenClaw reads them; of `tidegate`, every
//! key must be known. `tidegate.runtime` belongs to the runtime component and
//! is not looked into.

use std::time::Duration;

use tidegate_config::{Document, Faults, Section};

use crate::agent::{AgentId, Agents};
use crate::auth::{Auth, SecretDigest};
use crate::cors::Cors;
use crate::proxies::Proxies;
use crate::reply::Reasoning;
use crate::session::{CONVERSATION_HEADERS, SessionRules};
use crate::validate::{History, UrlPolicy};

/// The variables that count without being named in the document.
pub const WELL_KNOWN_VARIABLES: [&str; 2] = [TOKEN_VARIABLE, PASSWORD_VARIABLE];

const TOKEN_VARIABLE: &str = "OPENCLAW_GATEWAY_TOKEN";
const PASSWORD_VARIABLE: &str = "OPENCLAW_GATEWAY_PASSWORD";

/// What the gateway is told by its operator.
#[derive(Clone)]
pub enum Config {
    /// The endpoint is off, which is the default.
    Off,
    /// The endpoint is on.
    On(Box<Settings>),
}

/// The settings of an endpoint that is on.
#[derive(Clone)]
pub struct Settings {
    /// How callers prove who they are.
    pub auth: Auth,
    /// The agents that can be asked for.
    pub agents: Agents,
    /// How sessions are found.
    pub sessions: SessionRules,
    /// How much of a resent conversation is passed on.
    pub history: History,
    /// How streams are kept alive.
    pub stream: StreamSettings,
    /// Whether clients see what agents think; not unless configured.
    pub reasoning: Reasoning,
    /// Which addresses of pictures are handed on; none unless configured.
    pub image_urls: UrlPolicy,
    /// The web pages that may use the gateway; none unless configured.
    pub cors: Cors,
    /// The proxies that may stand before the gateway.
    pub proxies: Proxies,
}

/// The timing of streamed answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSettings {
    /// After how much silence a comment is sent; 15 s unless configured.
    pub heartbeat: Duration,
    /// How long the head of an answer waits for the first event, so that a run
    /// that fails at once gets its true status; 1 s unless configured, and at
    /// most 5 s.
    pub first_event_wait: Duration,
}

impl Config {
    /// Reads the configuration out of a document.
    ///
    /// # Errors
    /// Every fault in the sections that the gateway reads. The settings of an
    /// endpoint that is off are not looked at.
    pub fn read(document: &Document) -> Result<Self, Faults> {
        let enabled = document.read(|root| {
            let mut http = root.section("gateway").section("http");
            let mut endpoint = http.section("endpoints").section("chatCompletions");
            endpoint.flag("enabled").unwrap_or(false)
        })?;
        if !enabled {
            return Ok(Self::Off);
        }
        let settings = document.read(read_settings)?;
        // Without a fault nothing is missing.
        Ok(settings.map_or(Self::Off, |settings| Self::On(Box::new(settings))))
    }
}

fn read_settings(root: &mut Section<'_>) -> Option<Settings> {
    let mut gateway = root.section("gateway");
    let auth = read_auth(&mut gateway.section("auth"));
    let proxies = Proxies::new(gateway.texts("trustedProxies").unwrap_or_default());
    let mut endpoint = gateway
        .section("http")
        .section("endpoints")
        .section("chatCompletions");
    let image_urls = read_image_urls(&mut endpoint.section("images"));
    let mut tidegate = root.section("tidegate");
    tidegate.allow("runtime");
    let agents = read_agents(&mut root.section("agents"), &mut tidegate);
    let mut session = tidegate.section("session");
    let sessions = read_session_rules(&mut session);
    let history = session.choice("history", &HISTORIES).unwrap_or_default();
    session.deny_unknown_keys();
    let stream = read_stream(&mut tidegate.section("stream"));
    let cors = read_cors(&mut tidegate.section("cors"));
    let reasoning = match tidegate.flag("reasoning") {
        Some(true) => Reasoning::Shown,
        Some(false) | None => Reasoning::Hidden,
    };
    tidegate.deny_unknown_keys();
    Some(Settings {
        auth: auth?,
        agents,
        sessions,
        history,
        stream,
        reasoning,
        image_urls,
        cors,
        proxies,
    })
}

#[derive(Clone, Copy)]
enum AuthMode {
    Token,
    Password,
    None,
}

fn read_auth(auth: &mut Section<'_>) -> Option<Auth> {
    const MODES: [(&str, AuthMode); 3] = [
        ("token", AuthMode::Token),
        ("password", AuthMode::Password),
        ("none", AuthMode::None),
    ];
    let token = auth
        .secret("token")
        .or_else(|| auth.variable(TOKEN_VARIABLE));
    let password = auth
        .secret("password")
        .or_else(|| auth.variable(PASSWORD_VARIABLE));
    let mode = match auth.text("mode") {
        Some(_) => auth.choice("mode", &MODES)?,
        None if token.is_some() && password.is_some() => {
            auth.fault("mode", "must say whether the token or the password counts");
            return None;
        }
        None if password.is_some() => AuthMode::Password,
        None => AuthMode::Token,
    };
    let (key, variable, secret) = match mode {
        AuthMode::None => return Some(Auth::None),
        AuthMode::Token => ("token", TOKEN_VARIABLE, token),
        AuthMode::Password => ("password", PASSWORD_VARIABLE, password),
    };
    let secret = secret.filter(|secret| !secret.expose().trim().is_empty());
    if secret.is_none() {
        auth.fault(
            key,
            &format!("is missing; set it, or the variable {variable}"),
        );
    }
    Some(Auth::Shared(SecretDigest::of(&secret?)))
}

/// Reads `agents.entries`, or the older `agents.list`.
fn read_agents(agents: &mut Section<'_>, tidegate: &mut Section<'_>) -> Agents {
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

/// Reads `tidegate.models`: which agent answers to which model.
fn read_aliases(tidegate: &mut Section<'_>, known: &[AgentId]) -> Vec<(String, AgentId)> {
    let mut aliases = Vec::new();
    for (model, agent) in tidegate.text_entries("models").unwrap_or_default() {
        let id = AgentId::parse(&agent).filter(|id| known.is_empty() || known.contains(id));
        match id {
            Some(id) if !model.trim().is_empty() => aliases.push((model.trim().to_owned(), id)),
            Some(_) => tidegate.fault("models", "must not name an empty model"),
            None => tidegate.fault("models", "must name configured agents only"),
        }
    }
    aliases
}

/// Reads `images` of OpenClaw's endpoint: `allowUrl` and `urlAllowlist`.
fn read_image_urls(images: &mut Section<'_>) -> UrlPolicy {
    let hosts = images.texts("urlAllowlist").unwrap_or_default();
    let hosts = hosts.iter().map(|host| host.trim().to_owned());
    match images.flag("allowUrl") {
        Some(true) => UrlPolicy::Hosts(hosts.filter(|host| !host.is_empty()).collect()),
        Some(false) | None => UrlPolicy::Refuse,
    }
}

fn read_cors(cors: &mut Section<'_>) -> Cors {
    let origins = cors.texts("origins").unwrap_or_default();
    cors.deny_unknown_keys();
    let is_origin = |origin: &String| origin == "*" || Cors::is_origin(origin);
    if !origins.iter().all(is_origin) {
        cors.fault(
            "origins",
            "must hold origins such as \"https://app.example.com\", or \"*\"",
        );
    }
    Cors::new(origins)
}

fn read_agent_id(section: &Section<'_>, key: &str, name: &str) -> Option<AgentId> {
    let id = AgentId::parse(name);
    if id.is_none() {
        section.fault(key, "is no agent id: up to 64 letters, digits, `_` and `-`");
    }
    id
}

const HISTORIES: [(&str, History); 2] = [("latest", History::Latest), ("full", History::Full)];

fn read_session_rules(session: &mut Section<'_>) -> SessionRules {
    let headers = session.texts("headers");
    let headers = headers.unwrap_or_else(|| CONVERSATION_HEADERS.map(str::to_owned).into());
    SessionRules {
        secret: session.secret("secret"),
        conversation_headers: headers,
    }
}

fn read_stream(stream: &mut Section<'_>) -> StreamSettings {
    let heartbeat = stream.duration("heartbeat");
    if heartbeat.is_some_and(|time| time < Duration::from_secs(1)) {
        stream.fault("heartbeat", "must be at least \"1s\"");
    }
    let first_event_wait = stream.duration("firstEventWait");
    // A client that leaves meanwhile cannot be noticed.
    if first_event_wait.is_some_and(|time| time > Duration::from_secs(5)) {
        stream.fault("firstEventWait", "must be at most \"5s\"");
    }
    stream.deny_unknown_keys();
    StreamSettings {
        heartbeat: heartbeat.unwrap_or(Duration::from_secs(15)),
        first_event_wait: first_event_wait.unwrap_or(Duration::from_secs(1)),
    }
}

#[cfg(test)]
mod tests {
    use tidegate_config::Variables;

    use super::*;
    use crate::headers::Headers;

    const ON: &str = "http: { endpoints: { chatCompletions: { enabled: true } } }";

    fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        let variables: Variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let config = Config::read(&Document::parse(text).unwrap().with(variables));
        config.map_err(|faults| faults.0.iter().map(ToString::to_string).collect())
    }

    fn settings(text: &str, variables: &[(&str, &str)]) -> Settings {
        match read(text, variables) {
            Ok(Config::On(settings)) => *settings,
            Ok(Config::Off) => panic!("the endpoint is off"),
            Err(faults) => panic!("{faults:?}"),
        }
    }

    fn lets_in(settings: &Settings, token: &str) -> bool {
        let value = format!("Bearer {token}");
        let headers = Headers::from([("authorization", value.as_str())]);
        settings.auth.authenticate(&headers).is_ok()
    }

    #[test]
    fn the_endpoint_is_off_unless_it_is_enabled() {
        for text in [
            "{}",
            "{ gateway: { auth: { token: 'x' } } }",
            "{ gateway: { http: { endpoints: { chatCompletions: { enabled: false } } } } }",
            "{ tidegate: { unknown: 1 } }",
        ] {
            assert!(matches!(read(text, &[]), Ok(Config::Off)), "{text}");
        }
    }

    #[test]
    fn the_mode_follows_from_what_is_configured() {
        let cases = [
            ("{ token: 't' }", &[][..], "t"),
            ("{ password: 'p' }", &[], "p"),
            ("{ mode: 'password', token: 't', password: 'p' }", &[], "p"),
            ("{}", &[(TOKEN_VARIABLE, "from-env")], "from-env"),
            ("{}", &[(PASSWORD_VARIABLE, "from-env")], "from-env"),
            ("{ token: 't' }", &[(TOKEN_VARIABLE, "from-env")], "t"),
        ];
        for (auth, variables, token) in cases {
            let settings = settings(
                &format!("{{ gateway: {{ auth: {auth}, {ON} }} }}"),
                variables,
            );
            assert!(lets_in(&settings, token), "{auth}");
            assert!(!lets_in(&settings, "other"), "{auth}");
        }
    }

    #[test]
    fn faults_of_every_section_are_told_together() {
        let text = format!(
            "{{ gateway: {{ auth: {{ mode: 'tokn' }}, {ON} }}, agents: {{ list: [{{ id: 'Bad Id' }}] }}, \
             tidegate: {{ defaultAgent: '-', sesion: {{}}, stream: {{ heartbeat: '10ms', beat: 1 }}, runtime: {{ any: 1 }} }} }}"
        );
        let faults = read(&text, &[]).err().unwrap();
        let paths: Vec<_> = faults.iter().filter_map(|f| f.split(": ").next()).collect();
        assert_eq!(
            paths,
            [
                "gateway.auth.mode",
                "agents.list[0].id",
                "tidegate.defaultAgent",
                "tidegate.stream.heartbeat",
                "tidegate.stream.beat",
                "tidegate.sesion",
            ]
        );
    }

    #[test]
    fn an_enabled_endpoint_needs_a_credential() {
        let faults = read(&format!("{{ gateway: {{ {ON} }} }}"), &[])
            .err()
            .unwrap();
        assert!(
            faults[0].starts_with("gateway.auth.token: is missing"),
            "{faults:?}"
        );
        let both = format!("{{ gateway: {{ auth: {{ token: 't', password: 'p' }}, {ON} }} }}");
        assert!(read(&both, &[]).err().unwrap()[0].starts_with("gateway.auth.mode"));
    }

    #[test]
    fn agents_stand_in_entries_or_in_the_older_list() {
        for agents in [
            "{ entries: { Main: {}, research: {} } }",
            "{ list: [{ id: 'main' }, { id: 'research' }, { id: 'Main' }] }",
        ] {
            let text =
                format!("{{ gateway: {{ auth: {{ mode: 'none' }}, {ON} }}, agents: {agents} }}");
            let settings = settings(&text, &[]);
            let names: Vec<_> = settings
                .agents
                .known()
                .iter()
                .map(AgentId::as_str)
                .collect();
            assert_eq!(names, ["main", "research"]);
        }
    }

    #[test]
    fn the_default_agent_must_be_one_of_the_agents() {
        let text = format!(
            "{{ gateway: {{ auth: {{ mode: 'none' }}, {ON} }}, agents: {{ entries: {{ a: {{}} }} }}, tidegate: {{ defaultAgent: 'b' }} }}"
        );
        assert_eq!(
            read(&text, &[]).err().unwrap(),
            ["tidegate.defaultAgent: is not one of the configured agents"]
        );
    }

    #[test]
    fn times_have_defaults() {
        let text = format!("{{ gateway: {{ auth: {{ mode: 'none' }}, {ON} }} }}");
        let stream = settings(&text, &[]).stream;
        assert_eq!(stream.heartbeat, Duration::from_secs(15));
        assert_eq!(stream.first_event_wait, Duration::from_secs(1));
    }
}
