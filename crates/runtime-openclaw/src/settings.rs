//! The settings of this component: the section `tidegate.runtime`, and the sections in
//! `tidegate.runtimes`.
//!
//! The gateway reads the other sections.

use std::time::Duration;

use tidegate_config::{Document, Faults, Section};

use crate::backend::{Backend, Origin};
use crate::models::Models;
use crate::pool::Affinity;
use crate::types::Continuity;

/// The default of `connectTimeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The default timeout without a byte. Agents reason for minutes, and hosts have the same
/// limit by default.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(600);

/// The default timeout without an event, for a backend that sends comments only.
const QUIET_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// The settings of all upstreams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllSettings {
    /// The settings in `tidegate.runtime`.
    pub default: Settings,
    /// The settings in `tidegate.runtimes`, by name.
    pub named: Vec<(String, Settings)>,
}

impl AllSettings {
    /// Reads the sections of the configuration document.
    ///
    /// # Errors
    /// All faults of the sections, including unknown keys.
    pub fn read(document: &Document<'_>) -> Result<Self, Faults> {
        document.read(|root| {
            let mut tidegate = root.section("tidegate");
            let mut default = tidegate.section("runtime");
            let settings = Settings::from_section(&mut default, Origin::Default);
            default.deny_unknown_keys();
            let named = tidegate.entries("runtimes").unwrap_or_default();
            let named = named.into_iter().map(|(name, mut section)| {
                let settings = Settings::from_section(&mut section, Origin::Named);
                // The gateway reads it.
                section.allow("agents");
                section.deny_unknown_keys();
                (name, settings)
            });
            Self {
                named: named.collect(),
                default: settings,
            }
        })
    }
}

/// The settings of one upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The backends, `url` or `urls`; at least one.
    pub backends: Vec<Backend>,
    /// Which runs use another backend, `failover`.
    pub failover: Failover,
    /// The models of agents, `models`.
    pub models: Models,
    /// The timeout of connecting, `connectTimeout`.
    pub connect_timeout: Duration,
    /// The timeout of the first byte of a response, `firstByteTimeout`.
    pub first_byte_timeout: Duration,
    /// The timeout between two bytes, `betweenBytesTimeout`.
    pub between_bytes_timeout: Duration,
    /// The timeout between two events, `betweenEventsTimeout`. Comments do not count.
    pub between_events_timeout: Duration,
}

impl Settings {
    fn from_section(section: &mut Section<'_>, origin: Origin) -> Self {
        let failover = section.choice("failover", &FAILOVERS);
        Self {
            backends: Backend::read_all(section, origin),
            failover: failover.unwrap_or(Failover::Stateless),
            models: Models::read(section),
            connect_timeout: timeout(section, "connectTimeout", CONNECT_TIMEOUT),
            first_byte_timeout: timeout(section, "firstByteTimeout", SILENCE_TIMEOUT),
            between_bytes_timeout: timeout(section, "betweenBytesTimeout", SILENCE_TIMEOUT),
            between_events_timeout: timeout(section, "betweenEventsTimeout", QUIET_TIMEOUT),
        }
    }
}

/// Which runs use another backend when their own cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failover {
    /// Runs in a fresh session, which no later run continues.
    Stateless,
    /// All runs. A session continues without its past until its backend is back.
    All,
    /// No runs.
    Never,
}

const FAILOVERS: [(&str, Failover); 3] = [
    ("stateless", Failover::Stateless),
    ("all", Failover::All),
    ("none", Failover::Never),
];

impl Failover {
    /// Returns which backends a run may use.
    #[must_use]
    pub fn affinity(self, continuity: Continuity) -> Affinity {
        match (self, continuity) {
            (Self::All, _) | (Self::Stateless, Continuity::Fresh) => Affinity::Any,
            (Self::Never, _) | (Self::Stateless, Continuity::Opening | Continuity::Continued) => {
                Affinity::Home
            }
        }
    }
}

fn timeout(section: &mut Section<'_>, key: &'static str, default: Duration) -> Duration {
    let timeout = section.duration(key).unwrap_or(default);
    if timeout.is_zero() {
        section.fault(key, "must be greater than zero");
    }
    timeout
}

#[cfg(test)]
mod tests {
    use tidegate_config::variables::RUNTIME_TOKEN;
    use tidegate_config::{Secret, Variables};

    use super::*;

    fn read(text: &str) -> Result<Settings, String> {
        read_with(text, &[])
    }

    fn read_with(text: &str, variables: &[(&str, &str)]) -> Result<Settings, String> {
        let variables = variables.iter();
        let variables: Variables = variables
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let document = Document::parse(text).unwrap().with(variables);
        let all = AllSettings::read(&document).map_err(|faults| faults.to_string())?;
        Ok(all.default)
    }

    fn backends(settings: &Settings) -> Vec<String> {
        let backends = settings.backends.iter();
        backends.map(|backend| backend.endpoint.url()).collect()
    }

    #[test]
    fn the_default_backend_is_openclaw_on_this_machine() {
        let settings = read("{}").unwrap();
        assert_eq!(backends(&settings), ["http://127.0.0.1:18789"]);
        assert_eq!(settings.backends[0].token, None);
        assert_eq!(settings.failover, Failover::Stateless);
        assert_eq!(settings.connect_timeout, Duration::from_secs(5));
        assert_eq!(settings.first_byte_timeout, Duration::from_secs(600));
        assert_eq!(settings.between_bytes_timeout, Duration::from_secs(600));
        assert_eq!(settings.between_events_timeout, Duration::from_secs(1800));
    }

    #[test]
    fn every_key_is_read() {
        let settings = read(
            "{ tidegate: { runtime: { url: 'https://a.example/base/', token: 't', models: { main: 'm' }, failover: 'all',
               connectTimeout: '1s', firstByteTimeout: '2m', betweenBytesTimeout: '30s',
               betweenEventsTimeout: '5m' } } }",
        );
        let settings = settings.unwrap();
        assert_eq!(backends(&settings), ["https://a.example/base"]);
        assert_eq!(settings.backends[0].token, Some(Secret::new("t")));
        assert_eq!(settings.failover, Failover::All);
        assert_eq!(settings.models.of_agent("main"), "m");
        assert_eq!(settings.connect_timeout, Duration::from_secs(1));
        assert_eq!(settings.first_byte_timeout, Duration::from_secs(120));
        assert_eq!(settings.between_bytes_timeout, Duration::from_secs(30));
        assert_eq!(settings.between_events_timeout, Duration::from_secs(300));
    }

    #[test]
    fn failover_determines_the_affinity() {
        let cases = [
            ("stateless", Affinity::Any, Affinity::Home),
            ("all", Affinity::Any, Affinity::Any),
            ("none", Affinity::Home, Affinity::Home),
        ];
        for (name, fresh, continued) in cases {
            let text = format!("{{ tidegate: {{ runtime: {{ failover: '{name}' }} }} }}");
            let failover = read(&text).unwrap().failover;
            assert_eq!(failover.affinity(Continuity::Fresh), fresh, "{name}");
            for continuity in [Continuity::Opening, Continuity::Continued] {
                assert_eq!(failover.affinity(continuity), continued, "{name}");
            }
        }
    }

    #[test]
    fn the_documents_token_overrides_the_variable() {
        let variable = [(RUNTIME_TOKEN, "variable")];
        let named = "{ tidegate: { runtime: { token: 'document' } } }";
        let cases = [("{}", "variable"), (named, "document")];
        for (text, expected) in cases {
            let settings = read_with(text, &variable).unwrap();
            let expected = Some(Secret::new(expected));
            assert_eq!(settings.backends[0].token, expected, "{text}");
        }
    }

    #[test]
    fn a_blank_token_counts_as_missing() {
        let settings = read("{ tidegate: { runtime: { token: ' ' } } }").unwrap();
        assert_eq!(settings.backends[0].token, None);
    }

    #[test]
    fn every_fault_is_reported_without_a_value() {
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
    fn a_named_upstream_has_its_own_settings_and_no_defaults_of_another() {
        let text = "{ tidegate: { runtime: { token: 'common' }, runtimes: {
            one: { url: 'http://one', agents: ['a'], failover: 'none' },
            two: { urls: ['http://two', { url: 'http://three', token: 't' }] } } } }";
        let variables = Variables::from([(RUNTIME_TOKEN, "variable")]);
        let all = AllSettings::read(&Document::parse(text).unwrap().with(variables)).unwrap();
        assert_eq!(all.default.backends[0].token, Some(Secret::new("common")));
        let named: Vec<_> = all.named.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(named, ["one", "two"]);
        let [(_, one), (_, two)] = all.named.as_slice() else {
            panic!("{named:?}");
        };
        assert_eq!(backends(one), ["http://one"]);
        assert_eq!(one.failover, Failover::Never);
        assert_eq!(one.backends[0].token, None);
        assert_eq!(backends(two), ["http://two", "http://three"]);
        assert_eq!(two.backends[1].token, Some(Secret::new("t")));
    }

    #[test]
    fn every_fault_of_a_named_upstream_has_its_path() {
        let faults = read(
            "{ tidegate: { runtimes: { one: { url: 'http://one', tokn: 1 }, two: {},
               three: { agents: ['a'], url: 'x' } } } }",
        );
        let faults = faults.unwrap_err();
        for path in [
            "tidegate.runtimes.one.tokn: is not a known key",
            "tidegate.runtimes.two.url: is missing",
            "tidegate.runtimes.three.url: ",
        ] {
            assert!(faults.contains(path), "{path} in {faults}");
        }
    }

    #[test]
    fn other_sections_are_ignored() {
        let text = "{ gateway: 1, tidegate: { keys: 'x', stream: { what: '${NOPE}' } } }";
        assert!(read(text).is_ok());
    }
}
