//! The configuration of this component: the section `tidegate.runtime`.
//!
//! No other section is read or judged here; the gateway does that.

use std::time::Duration;

use tidegate_config::{Document, Faults, Secret, Section};

use crate::endpoint::Endpoint;
use crate::models::Models;

/// The variable that holds the token where the document names none.
pub const TOKEN_VARIABLE: &str = "TIDEGATE_RUNTIME_TOKEN";

/// Where OpenClaw's gateway listens unless it is told otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:18789";

/// The time to connect in; a server that does not take a connection for longer
/// is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The time without a byte, at the beginning and later. Agents think for
/// minutes; and this is the limit that hosts have of themselves.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(600);

/// How the upstream server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The server, `url`.
    pub endpoint: Endpoint,
    /// What to authorize with, `token`; without one, nothing is sent.
    pub token: Option<Secret>,
    /// The server's names for the agents, `models`.
    pub models: Models,
    /// How long connecting may take, `connectTimeout`.
    pub connect_timeout: Duration,
    /// How long the response may take to begin, `firstByteTimeout`.
    pub first_byte_timeout: Duration,
    /// How long the response may be silent later, `betweenBytesTimeout`.
    pub between_bytes_timeout: Duration,
}

impl Settings {
    /// Reads the section out of the configuration document.
    ///
    /// # Errors
    /// Every fault of the section, an unknown key included.
    pub fn read(document: &Document) -> Result<Self, Faults> {
        let settings = document.read(|root| {
            let mut section = root.section("tidegate").section("runtime");
            let settings = Self::from_section(&mut section);
            section.deny_unknown_keys();
            settings
        })?;
        // Without a fault there is an endpoint.
        settings.ok_or_else(Faults::default)
    }

    fn from_section(section: &mut Section<'_>) -> Option<Self> {
        let endpoint = endpoint(section);
        let token = token(section);
        let models = Models::read(section);
        let connect_timeout = timeout(section, "connectTimeout", CONNECT_TIMEOUT);
        let first_byte_timeout = timeout(section, "firstByteTimeout", SILENCE_TIMEOUT);
        let between_bytes_timeout = timeout(section, "betweenBytesTimeout", SILENCE_TIMEOUT);
        Some(Self {
            endpoint: endpoint?,
            token,
            models,
            connect_timeout,
            first_byte_timeout,
            between_bytes_timeout,
        })
    }
}

fn endpoint(section: &mut Section<'_>) -> Option<Endpoint> {
    let url = section.text("url");
    let endpoint = Endpoint::parse(url.as_deref().unwrap_or(DEFAULT_URL));
    endpoint
        .map_err(|problem| section.fault("url", problem))
        .ok()
}

/// Returns the token; a blank one counts as none, as it does in OpenClaw.
fn token(section: &mut Section<'_>) -> Option<Secret> {
    let token = section.secret("token");
    let token = token.or_else(|| section.variable(TOKEN_VARIABLE))?;
    let text = token.expose().trim();
    if !text.bytes().all(|b| b.is_ascii_graphic()) {
        section.fault("token", "must be of visible ASCII characters");
        return None;
    }
    (!text.is_empty()).then(|| Secret::new(text))
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
    use tidegate_config::Variables;

    use super::*;
    use crate::endpoint::Scheme;

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

    #[test]
    fn an_empty_document_means_the_gateway_next_door() {
        let settings = read("{}").unwrap();
        assert_eq!(settings.endpoint.scheme(), Scheme::Http);
        assert_eq!(settings.endpoint.authority(), "127.0.0.1:18789");
        assert_eq!(settings.token, None);
        assert_eq!(settings.connect_timeout, Duration::from_secs(5));
        assert_eq!(settings.first_byte_timeout, Duration::from_secs(600));
        assert_eq!(settings.between_bytes_timeout, Duration::from_secs(600));
    }

    #[test]
    fn everything_can_be_set() {
        let settings = read(
            "{ tidegate: { runtime: { url: 'https://a.example/base/', token: 't', models: { main: 'm' },
               connectTimeout: '1s', firstByteTimeout: '2m', betweenBytesTimeout: '30s' } } }",
        );
        let settings = settings.unwrap();
        assert_eq!(settings.endpoint.path("/v1"), "/base/v1");
        assert_eq!(settings.token, Some(Secret::new("t")));
        assert_eq!(settings.models.of_agent("main"), "m");
        assert_eq!(settings.connect_timeout, Duration::from_secs(1));
        assert_eq!(settings.first_byte_timeout, Duration::from_secs(120));
        assert_eq!(settings.between_bytes_timeout, Duration::from_secs(30));
    }

    #[test]
    fn the_document_s_token_comes_before_the_variable_s() {
        let variable = [(TOKEN_VARIABLE, "variable")];
        let named = "{ tidegate: { runtime: { token: 'document' } } }";
        let cases = [("{}", "variable"), (named, "document")];
        for (text, expected) in cases {
            let settings = read_with(text, &variable).unwrap();
            assert_eq!(settings.token, Some(Secret::new(expected)), "{text}");
        }
    }

    #[test]
    fn a_blank_token_is_none() {
        let settings = read("{ tidegate: { runtime: { token: ' ' } } }").unwrap();
        assert_eq!(settings.token, None);
    }

    #[test]
    fn every_fault_is_told_and_no_value_is_quoted() {
        let faults = read(
            "{ tidegate: { runtime: { url: 'ftp://s3cret', token: 'a\\nb', tokn: 1,
               connectTimeout: '0s', firstByteTimeout: 5 } } }",
        );
        let faults = faults.unwrap_err();
        for path in [
            "tidegate.runtime.url: ",
            "tidegate.runtime.token: ",
            "tidegate.runtime.tokn: ",
            "tidegate.runtime.connectTimeout: ",
            "tidegate.runtime.firstByteTimeout: ",
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
