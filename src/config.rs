//! The gateway's part of the configuration document, as typed values.
//!
//! OpenClaw's own sections are read as OpenClaw reads them; of `tidegate`, every
//! key must be known. `tidegate.runtime` belongs to the runtime component and
//! is not looked into.

mod agents;
mod credentials;
mod keys;
mod limits;
mod proxies;

use std::time::Duration;

use tidegate_config::{Document, Faults, Section};

use crate::agent::Agents;
use crate::auth::Auth;
use crate::cors::Cors;
use crate::proxies::Proxies;
use crate::reply::Reasoning;
use crate::session::{CONVERSATION_HEADERS, SessionRules};
use crate::throttle::Throttle;
use crate::validate::{History, UrlPolicy};

use self::agents::read_agents;
use self::credentials::read_auth;
use self::keys::read_keys;
use self::limits::read_throttle;
use self::proxies::read_proxies;

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
    /// Whether anything is configured that has to be counted.
    pub counting: Counting,
    /// How often credentials may be guessed; none where there are none.
    pub throttle: Option<Throttle>,
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
    /// The value of `Strict-Transport-Security`; no such header unless configured.
    pub transport_security: Option<String>,
    /// What is known of the way that requests come.
    pub proxies: Proxies,
}

/// Whether the operator has asked for something that a store must count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// A throttle or a rate is configured.
    Asked,
    /// Nothing is, though guesses are throttled where there is a store.
    Unasked,
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
    pub fn read(document: &Document<'_>) -> Result<Self, Faults> {
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
    let mut http = gateway.section("http");
    let transport_security = read_transport_security(&mut http.section("securityHeaders"));
    let mut endpoint = http.section("endpoints").section("chatCompletions");
    let image_urls = read_image_urls(&mut endpoint.section("images"));
    let mut tidegate = root.section("tidegate");
    tidegate.allow("runtime");
    let proxies = read_proxies(&mut gateway, &mut tidegate);
    let agents = read_agents(&mut root.section("agents"), &mut tidegate);
    let keys = read_keys(&mut tidegate, &agents);
    let mut auth = gateway.section("auth");
    let mut limit = auth.section("rateLimit");
    let counting = if limit.is_present() || keys.have_rates() {
        Counting::Asked
    } else {
        Counting::Unasked
    };
    let throttle = read_throttle(&mut limit);
    let auth = read_auth(&mut auth, keys, &proxies);
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
        counting,
        throttle: matches!(auth, Some(Auth::Credentials { .. })).then_some(throttle),
        auth: auth?,
        agents,
        sessions,
        history,
        stream,
        reasoning,
        image_urls,
        cors,
        transport_security,
        proxies,
    })
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

/// Reads `strictTransportSecurity` of OpenClaw's: the header's value, or `false`.
fn read_transport_security(headers: &mut Section<'_>) -> Option<String> {
    const KEY: &str = "strictTransportSecurity";
    if headers.is_false(KEY) {
        return None;
    }
    let value = headers.text(KEY)?;
    let value = value.trim();
    if !value
        .bytes()
        .all(|byte| byte == b' ' || byte.is_ascii_graphic())
    {
        headers.fault(KEY, "must be the value of a header, or false");
        return None;
    }
    (!value.is_empty()).then(|| value.to_owned())
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
mod tests;
