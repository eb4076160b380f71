//! A backend: its URL, its token, and its share of the sessions.

use tidegate_config::variables::RUNTIME_TOKEN;
use tidegate_config::{Secret, Section};

use crate::endpoint::Endpoint;
use crate::rendezvous::{Digest, MAX_WEIGHT, Score};

/// OpenClaw's default URL.
const DEFAULT_URL: &str = "http://127.0.0.1:18789";

/// The maximum number of backends.
const LIMIT: usize = 1000;

/// Where the settings of backends come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `tidegate.runtime`, with a default URL and the token of the environment.
    Default,
    /// `tidegate.runtimes`. Its servers belong to others, so they get no token that is not
    /// theirs.
    Named,
}

/// A server that carries out runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// Its URL.
    pub endpoint: Endpoint,
    /// Its token. Without a token, no credential is sent.
    pub token: Option<Secret>,
    weight: u16,
    digest: Digest,
}

impl Backend {
    /// Makes a backend. Twice the weight means twice as many sessions.
    #[must_use]
    pub fn new(endpoint: Endpoint, weight: u16, token: Option<Secret>) -> Self {
        Self {
            digest: Digest::of(&endpoint.url()),
            endpoint,
            token,
            weight,
        }
    }

    /// Computes the backend's score for a session.
    #[must_use]
    pub fn score(&self, session: Digest) -> Score {
        Score::of(session, self.digest, self.weight)
    }

    /// Returns the digest of the backend's URL.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.digest.number()
    }

    /// Reads `urls`, or `url` for a single backend. `token` is the default token.
    pub(crate) fn read_all(section: &mut Section<'_>, origin: Origin) -> Vec<Self> {
        let configured = section.secret("token");
        let secret = match origin {
            Origin::Default => configured.or_else(|| section.variable(RUNTIME_TOKEN)),
            Origin::Named => configured,
        };
        let token = secret.and_then(|secret| checked(section, secret));
        let url = section.text("url");
        let Some(items) = section.items_or_texts("urls") else {
            let default = (origin == Origin::Default).then_some(DEFAULT_URL);
            let Some(url) = url.as_deref().or(default) else {
                section.fault("url", "is missing");
                return Vec::new();
            };
            let endpoint = endpoint(section, "url", url);
            return endpoint
                .map(|endpoint| Self::new(endpoint, 1, token))
                .into_iter()
                .collect();
        };
        if url.is_some() {
            section.fault("urls", "must not be set together with `url`");
        }
        if items.is_empty() || items.len() > LIMIT {
            section.fault("urls", "must contain from 1 to 1000 backends");
        }
        let mut backends: Vec<Self> = Vec::new();
        for (mut item, url) in items {
            let Some(backend) = Self::read(&mut item, url, token.as_ref()) else {
                continue;
            };
            if backends.iter().any(|other| other.digest == backend.digest) {
                item.fault("", "is a duplicate");
            }
            backends.push(backend);
        }
        backends
    }

    /// Reads an item of `urls`: a URL, or an object.
    fn read(item: &mut Section<'_>, url: Option<String>, common: Option<&Secret>) -> Option<Self> {
        let token = match item.secret("token") {
            Some(own) => checked(item, own),
            None => common.cloned(),
        };
        let number = item.number("weight", 1..=MAX_WEIGHT.into());
        let weight = number.and_then(|number| u16::try_from(number).ok());
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

/// Checks a token. As with OpenClaw, a blank token counts as missing.
fn checked(section: &Section<'_>, token: Secret) -> Option<Secret> {
    let text = token.expose().trim();
    if !text.bytes().all(|b| b.is_ascii_graphic()) {
        section.fault("token", "must contain only visible ASCII characters");
        return None;
    }
    (!text.is_empty()).then(|| Secret::new(text))
}

#[cfg(test)]
mod tests {
    use tidegate_config::{Document, Variables};

    use super::*;

    fn read(members: &str) -> Result<Vec<Backend>, String> {
        let variables = Variables::from([("OWN_TOKEN", "own"), (RUNTIME_TOKEN, "common")]);
        let text = format!("{{ runtime: {{ {members} }} }}");
        let document = Document::parse(&text).unwrap().with(variables);
        let backends =
            document.read(|root| Backend::read_all(&mut root.section("runtime"), Origin::Default));
        backends.map_err(|faults| faults.to_string())
    }

    fn backend(url: &str, weight: u16, token: Option<&str>) -> Backend {
        Backend::new(
            Endpoint::parse(url).unwrap(),
            weight,
            token.map(Secret::new),
        )
    }

    #[test]
    fn a_backend_may_have_its_own_weight_and_token() {
        let backends = read(
            "urls: ['http://a:1', { url: 'http://b:1', weight: 3 },
               { url: 'https://c/base', token: '${OWN_TOKEN}' },
               { url: 'http://d:1', token: '' }]",
        );
        let expected = [
            backend("http://a:1", 1, Some("common")),
            backend("http://b:1", 3, Some("common")),
            backend("https://c/base", 1, Some("own")),
            backend("http://d:1", 1, None),
        ];
        assert_eq!(backends.unwrap(), expected);
    }

    #[test]
    fn url_is_a_list_of_one_backend() {
        let list = read("urls: ['http://a:1'], token: 't'").unwrap();
        assert_eq!(read("url: 'http://a:1', token: 't'").unwrap(), list);
        assert_eq!(read("").unwrap(), [backend(DEFAULT_URL, 1, Some("common"))]);
    }

    #[test]
    fn every_fault_of_a_list_has_its_path() {
        let faults = read(
            "urls: ['ftp://s3cret', { weight: 2 }, { url: 'http://a', weight: 0, waight: 1 },
               { url: 'http://b', token: 'a\\nb' }, 7, 'HTTP://B/', { url: 'http://' }]",
        );
        let expected = [
            "runtime.urls[4]: must be an object",
            "runtime.urls[0]: must be an http or https URL",
            "runtime.urls[1].url: is missing",
            "runtime.urls[2].weight: must be an integer from 1 to 1000",
            "runtime.urls[2].waight: is not a known key; the known keys are token, weight, url",
            "runtime.urls[3].token: must contain only visible ASCII characters",
            "runtime.urls[5]: is a duplicate",
            "runtime.urls[6].url: must name a host",
        ];
        assert_eq!(faults.unwrap_err(), expected.join("; "));
    }

    #[test]
    fn a_list_has_a_limited_size_and_excludes_url() {
        let many = "'http://a',".repeat(1001);
        let cases = [
            (
                "urls: []".to_owned(),
                "must contain from 1 to 1000 backends",
            ),
            (
                format!("urls: [{many}]"),
                "must contain from 1 to 1000 backends",
            ),
            (
                "url: 'http://a', urls: ['http://b']".to_owned(),
                "must not be set together with `url`",
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
