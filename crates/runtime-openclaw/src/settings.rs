//! The configuration of this component: the section `tidegate.runtime`.
//!
//! No other section is read or judged here; the gateway does that.

use std::time::Duration;

use tidegate_config::{Document, Faults, Section};

use crate::models::Models;
use crate::pool::Reach;
use crate::server::Server;
use crate::types::Continuity;

/// The time to connect in; a server that does not take a connection for longer
/// is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The time without a byte, at the beginning and later. Agents think for
/// minutes; and this is the limit that hosts have of themselves.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(600);

/// The time without an event, which a server that sends comments could draw out
/// for ever.
const QUIET_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// How the upstream servers are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The servers, `url` or `urls`; at least one.
    pub servers: Vec<Server>,
    /// What becomes of the runs of a server that cannot be reached, `failover`.
    pub failover: Failover,
    /// The servers' names for the agents, `models`.
    pub models: Models,
    /// How long connecting may take, `connectTimeout`.
    pub connect_timeout: Duration,
    /// How long the response may take to begin, `firstByteTimeout`.
    pub first_byte_timeout: Duration,
    /// How long the response may be silent later, `betweenBytesTimeout`.
    pub between_bytes_timeout: Duration,
    /// How long it may send what says nothing, such as comments,
    /// `betweenEventsTimeout`.
    pub between_events_timeout: Duration,
}

impl Settings {
    /// Reads the section out of the configuration document.
    ///
    /// # Errors
    /// Every fault of the section, an unknown key included.
    pub fn read(document: &Document<'_>) -> Result<Self, Faults> {
        document.read(|root| {
            let mut section = root.section("tidegate").section("runtime");
            let settings = Self::from_section(&mut section);
            section.deny_unknown_keys();
            settings
        })
    }

    fn from_section(section: &mut Section<'_>) -> Self {
        let failover = section.choice("failover", &FAILOVERS);
        Self {
            servers: Server::read_all(section),
            failover: failover.unwrap_or(Failover::Stateless),
            models: Models::read(section),
            connect_timeout: timeout(section, "connectTimeout", CONNECT_TIMEOUT),
            first_byte_timeout: timeout(section, "firstByteTimeout", SILENCE_TIMEOUT),
            between_bytes_timeout: timeout(section, "betweenBytesTimeout", SILENCE_TIMEOUT),
            between_events_timeout: timeout(section, "betweenEventsTimeout", QUIET_TIMEOUT),
        }
    }
}

/// Which runs go to another server when theirs cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failover {
    /// Those of a session without a past.
    Stateless,
    /// All of them. A session goes on without its past until its server is back.
    All,
    /// None.
    Never,
}

const FAILOVERS: [(&str, Failover); 3] = [
    ("stateless", Failover::Stateless),
    ("all", Failover::All),
    ("none", Failover::Never),
];

impl Failover {
    /// Returns where a run of such a session may go.
    #[must_use]
    pub fn reach(self, continuity: Continuity) -> Reach {
        match (self, continuity) {
            (Self::All, _) | (Self::Stateless, Continuity::Fresh) => Reach::Any,
            (Self::Never, _) | (Self::Stateless, Continuity::Continued) => Reach::Home,
        }
    }
}

fn timeout(section: &mut Section<'_>, key: &'static str, default: Duration) -> Duration {
    let timeout = section.duration(key).unwrap_or(default);
    if timeout.is_zero() {
        section.fault(key, "must be longer than nothing");
    }
    timeout
}

#[cfg(test)]
mod tests {
    use tidegate_config::{Secret, Variables};

    use super::*;
    use crate::server::TOKEN_VARIABLE;

    fn read(text: &str) -> Result<Settings, String> {
        read_with(text, &[])
    }

    fn read_with(text: &str, variables: &[(&str, &str)]) -> Result<Settings, String> {
        let variables = variables.iter();
        let variables: Variables = variables
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let document = Document::parse(text).unwrap().with(variables);
        Settings::read(&document).map_err(|faults| faults.to_string())
    }

    fn servers(settings: &Settings) -> Vec<String> {
        let servers = settings.servers.iter();
        servers.map(|server| server.endpoint.url()).collect()
    }

    #[test]
    fn an_empty_document_means_the_gateway_next_door() {
        let settings = read("{}").unwrap();
        assert_eq!(servers(&settings), ["http://127.0.0.1:18789"]);
        assert_eq!(settings.servers[0].token, None);
        assert_eq!(settings.failover, Failover::Stateless);
        assert_eq!(settings.connect_timeout, Duration::from_secs(5));
        assert_eq!(settings.first_byte_timeout, Duration::from_secs(600));
        assert_eq!(settings.between_bytes_timeout, Duration::from_secs(600));
        assert_eq!(settings.between_events_timeout, Duration::from_secs(1800));
    }

    #[test]
    fn everything_can_be_set() {
        let settings = read(
            "{ tidegate: { runtime: { url: 'https://a.example/base/', token: 't', models: { main: 'm' }, failover: 'all',
               connectTimeout: '1s', firstByteTimeout: '2m', betweenBytesTimeout: '30s',
               betweenEventsTimeout: '5m' } } }",
        );
        let settings = settings.unwrap();
        assert_eq!(servers(&settings), ["https://a.example/base"]);
        assert_eq!(settings.servers[0].token, Some(Secret::new("t")));
        assert_eq!(settings.failover, Failover::All);
        assert_eq!(settings.models.of_agent("main"), "m");
        assert_eq!(settings.connect_timeout, Duration::from_secs(1));
        assert_eq!(settings.first_byte_timeout, Duration::from_secs(120));
        assert_eq!(settings.between_bytes_timeout, Duration::from_secs(30));
        assert_eq!(settings.between_events_timeout, Duration::from_secs(300));
    }

    #[test]
    fn a_run_leaves_its_server_only_as_far_as_it_is_configured() {
        let cases = [
            ("stateless", Reach::Any, Reach::Home),
            ("all", Reach::Any, Reach::Any),
            ("none", Reach::Home, Reach::Home),
        ];
        for (name, fresh, continued) in cases {
            let text = format!("{{ tidegate: {{ runtime: {{ failover: '{name}' }} }} }}");
            let failover = read(&text).unwrap().failover;
            assert_eq!(failover.reach(Continuity::Fresh), fresh, "{name}");
            assert_eq!(failover.reach(Continuity::Continued), continued, "{name}");
        }
    }

    #[test]
    fn the_document_s_token_comes_before_the_variable_s() {
        let variable = [(TOKEN_VARIABLE, "variable")];
        let named = "{ tidegate: { runtime: { token: 'document' } } }";
        let cases = [("{}", "variable"), (named, "document")];
        for (text, expected) in cases {
            let settings = read_with(text, &variable).unwrap();
            let expected = Some(Secret::new(expected));
            assert_eq!(settings.servers[0].token, expected, "{text}");
        }
    }

    #[test]
    fn a_blank_token_is_none() {
        let settings = read("{ tidegate: { runtime: { token: ' ' } } }").unwrap();
        assert_eq!(settings.servers[0].token, None);
    }

    #[test]
    fn every_fault_is_told_and_no_value_is_quoted() {
        let faults = read(
            "{ tidegate: { runtime: { url: 'ftp://s3cret', token: 'a\\nb', tokn: 1,
               connectTimeout: '0s', firstByteTimeout: 5, failover: 'some' } } }",
        );
        let faults = faults.unwrap_err();
        for path in [
            "tidegate.runtime.url: ",
            "tidegate.runtime.token: ",
            "tidegate.runtime.tokn: ",
            "tidegate.runtime.connectTimeout: ",
            "tidegate.runtime.firstByteTimeout: ",
            "tidegate.runtime.failover: ",
        ] {
            assert!(faults.contains(path), "{path} in {faults}");
        }
        assert!(!faults.contains("s3cret"), "{faults}");
    }

    #[test]
    fn other_sections_are_none_of_our_business() {
        let text = "{ gateway: 1, tidegate: { keys: 'x', stream: { what: '${NOPE}' } } }";
        assert!(read(text).is_ok());
    }
}
