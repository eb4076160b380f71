//! An upstream server: where it is, how it is authorized with, and its share of
//! the sessions.

use tidegate_config::{Secret, Section};

use crate::endpoint::Endpoint;
use crate::rendezvous::{Digest, GREATEST_WEIGHT, Lot};

/// The variable that holds the token where the document names none.
pub const TOKEN_VARIABLE: &str = "TIDEGATE_RUNTIME_TOKEN";

/// Where OpenClaw's gateway listens unless it is told otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:18789";

/// How many servers there may be.
const LIMIT: usize = 1000;

/// One of the servers that carry out runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Where it is.
    pub endpoint: Endpoint,
    /// What to authorize with; without one, nothing is sent.
    pub token: Option<Secret>,
    weight: u16,
    digest: Digest,
}

impl Server {
    /// Makes a server; one of twice the weight gets twice as many sessions.
    #[must_use]
    pub fn new(endpoint: Endpoint, weight: u16, token: Option<Secret>) -> Self {
        Self {
            digest: Digest::of(&endpoint.url()),
            endpoint,
            token,
            weight,
        }
    }

    /// Draws the server's lot for a session.
    #[must_use]
    pub fn draw(&self, session: Digest) -> Lot {
        Lot::draw(session, self.digest, self.weight)
    }

    /// Returns a number that is the server's own, whatever the list.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.digest.number()
    }

    /// Reads `urls`, or `url` for one server alone, with the `token` of all that
    /// have none of their own.
    pub(crate) fn read_all(section: &mut Section<'_>) -> Vec<Self> {
        let token = section.secret("token");
        let token = token.or_else(|| section.variable(TOKEN_VARIABLE));
        let token = token.and_then(|token| checked(section, token));
        let url = section.text("url");
        let Some(items) = section.items_or_texts("urls") else {
            let endpoint = endpoint(section, "url", url.as_deref().unwrap_or(DEFAULT_URL));
            return endpoint
                .map(|endpoint| Self::new(endpoint, 1, token))
                .into_iter()
                .collect();
        };
        if url.is_some() {
            section.fault("urls", "must not stand beside `url`");
        }
        if items.is_empty() || items.len() > LIMIT {
            section.fault("urls", "must hold from 1 to 1000 servers");
        }
        let mut servers: Vec<Self> = Vec::new();
        for (mut item, url) in items {
            let Some(server) = Self::read(&mut item, url, token.as_ref()) else {
                continue;
            };
            if servers.iter().any(|other| other.digest == server.digest) {
                item.fault("", "is a server that stands in the list already");
            }
            servers.push(server);
        }
        servers
    }

    /// Reads an item of `urls`, which is a URL alone or an object.
    fn read(item: &mut Section<'_>, url: Option<String>, common: Option<&Secret>) -> Option<Self> {
        let token = match item.secret("token") {
            Some(own) => checked(item, own),
            None => common.cloned(),
        };
        let weight = item.number("weight", 1..=GREATEST_WEIGHT.into());
        let weight = weight.and_then(|weight| u16::try_from(weight).ok());
        let endpoint = match (url, item.text("url")) {
            (Some(url), _) => endpoint(item, "", &url),
            (None, Some(url)) => endpoint(item, "url", &url),
            (None, None) => {
                if item.is_present() {
                    item.fault("url", "is missing");
                }
                None
            }
        };
        item.deny_unknown_keys();
        Some(Self::new(endpoint?, weight.unwrap_or(1), token))
    }
}

fn endpoint(section: &Section<'_>, key: &str, url: &str) -> Option<Endpoint> {
    let endpoint = Endpoint::parse(url);
    endpoint.map_err(|problem| section.fault(key, problem)).ok()
}

/// Returns a token; a blank one counts as none, as it does in OpenClaw.
fn checked(section: &Section<'_>, token: Secret) -> Option<Secret> {
    let text = token.expose().trim();
    if !text.bytes().all(|b| b.is_ascii_graphic()) {
        section.fault("token", "must be of visible ASCII characters");
        return None;
    }
    (!text.is_empty()).then(|| Secret::new(text))
}

#[cfg(test)]
mod tests {
    use tidegate_config::{Document, Variables};

    use super::*;

    fn read(members: &str) -> Result<Vec<Server>, String> {
        let variables = Variables::from([("OWN_TOKEN", "own"), (TOKEN_VARIABLE, "common")]);
        let text = format!("{{ runtime: {{ {members} }} }}");
        let document = Document::parse(&text).unwrap().with(variables);
        let servers = document.read(|root| Server::read_all(&mut root.section("runtime")));
        servers.map_err(|faults| faults.to_string())
    }

    fn server(url: &str, weight: u16, token: Option<&str>) -> Server {
        Server::new(
            Endpoint::parse(url).unwrap(),
            weight,
            token.map(Secret::new),
        )
    }

    #[test]
    fn a_server_may_have_a_weight_and_a_token_of_its_own() {
        let servers = read(
            "urls: ['http://a:1', { url: 'http://b:1', weight: 3 },
               { url: 'https://c/base', token: '${OWN_TOKEN}' },
               { url: 'http://d:1', token: '' }]",
        );
        let expected = [
            server("http://a:1", 1, Some("common")),
            server("http://b:1", 3, Some("common")),
            server("https://c/base", 1, Some("own")),
            server("http://d:1", 1, None),
        ];
        assert_eq!(servers.unwrap(), expected);
    }

    #[test]
    fn one_url_is_short_for_a_list_of_one() {
        let list = read("urls: ['http://a:1'], token: 't'").unwrap();
        assert_eq!(read("url: 'http://a:1', token: 't'").unwrap(), list);
        assert_eq!(read("").unwrap(), [server(DEFAULT_URL, 1, Some("common"))]);
    }

    #[test]
    fn every_fault_of_a_list_is_told_at_its_place() {
        let faults = read(
            "urls: ['ftp://s3cret', { weight: 2 }, { url: 'http://a', weight: 0, waight: 1 },
               { url: 'http://b', token: 'a\\nb' }, 7, 'HTTP://B/', { url: 'http://' }]",
        );
        let expected = [
            "runtime.urls[4]: must be an object",
            "runtime.urls[0]: must be an http or https URL",
            "runtime.urls[1].url: is missing",
            "runtime.urls[2].weight: must be a whole number from 1 to 1000",
            "runtime.urls[2].waight: is not a known key; known are token, weight, url",
            "runtime.urls[3].token: must be of visible ASCII characters",
            "runtime.urls[5]: is a server that stands in the list already",
            "runtime.urls[6].url: must name a host",
        ];
        assert_eq!(faults.unwrap_err(), expected.join("; "));
    }

    #[test]
    fn a_list_has_a_size_and_stands_alone() {
        let many = "'http://a',".repeat(1001);
        let cases = [
            ("urls: []".to_owned(), "must hold from 1 to 1000 servers"),
            (
                format!("urls: [{many}]"),
                "must hold from 1 to 1000 servers",
            ),
            (
                "url: 'http://a', urls: ['http://b']".to_owned(),
                "must not stand beside `url`",
            ),
        ];
        for (members, expected) in cases {
            let faults = read(&members).unwrap_err();
            assert!(
                faults.starts_with(&format!("runtime.urls: {expected}")),
                "{faults}"
            );
        }
    }
}
