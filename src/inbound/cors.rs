//! Cross-origin requests: which web pages may use the gateway from a browser.
//!
//! Source: the Fetch standard, section 3.3 (HTTP-CORS protocol). Cookies are
//! never allowed: clients authenticate with `Authorization`.

use std::net::IpAddr;

use http::Method;

use super::head::RequestHead;
use super::headers::Headers;

/// The relation of a page's origin to the request's. A page cannot change it (Fetch
/// Metadata, section 2.3).
const FETCH_SITE: &str = "sec-fetch-site";

/// The response headers that a page may read.
const EXPOSED: &str = "x-request-id, retry-after, x-should-retry";

/// How long a browser may cache the response to a preflight, in seconds.
const MAX_AGE: &str = "600";

/// The maximum length of `Access-Control-Request-Headers`, in bytes.
const REQUESTED_LIMIT: usize = 1024;

/// The allowlist of origins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors(Vec<String>);

/// The permission of an origin to read a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    origin: String,
}

/// The origin of the web page that sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The request has no origin: it is not from a page in a browser.
    Absent,
    /// The request has no origin and may be a same-origin `GET` of a page whose owner has
    /// pointed its name at this machine (DNS rebinding).
    Unknown,
    /// The gateway's own origin under a name that no attacker can register, or an
    /// origin in the allowlist.
    Trusted,
    /// Any other origin.
    Foreign,
}

impl Origin {
    /// Classifies the origin of a request to `authority` (RFC 3986, section 3.2). Some hosts
    /// do not pass the authority on.
    #[must_use]
    pub fn of(head: &RequestHead, authority: impl FnOnce() -> Option<String>, cors: &Cors) -> Self {
        let headers = &head.headers;
        let Some(origin) = headers.first("origin") else {
            return Self::without_header(head, authority, cors);
        };
        let origin = origin.trim_ascii();
        let schemes = [&b"http://"[..], b"https://"];
        let host = schemes
            .iter()
            .find_map(|scheme| origin.strip_prefix(*scheme));
        let is_own = host
            .zip(authority())
            .is_some_and(|(host, authority)| host.eq_ignore_ascii_case(authority.as_bytes()));
        let is_same = headers.first(FETCH_SITE) == Some(b"same-origin");
        let is_local = host.is_some_and(is_local);
        if (is_local && (is_own || is_same)) || cors.grant(headers).is_some() {
            Self::Trusted
        } else {
            Self::Foreign
        }
    }

    /// Classifies a request without `Origin`. Browsers omit it in `GET` requests that do not
    /// read the response across origins, or are same-origin.
    fn without_header(
        head: &RequestHead,
        authority: impl FnOnce() -> Option<String>,
        cors: &Cors,
    ) -> Self {
        match head.headers.first(FETCH_SITE) {
            Some(b"same-origin" | b"none") | None => {}
            Some(_) => return Self::Foreign,
        }
        let reads = matches!(head.method, Method::GET | Method::HEAD);
        let host = || authority().or_else(|| head.headers.text("host").map(str::to_owned));
        // A name without a domain is one of a private network.
        let has_domain = |host: &String| host.contains('.');
        let host = reads.then(host).flatten().filter(has_domain);
        match host.is_some_and(|host| !is_local(host.as_bytes()) && !cors.has_host(&host)) {
            true => Self::Unknown,
            false => Self::Absent,
        }
    }
}

/// Returns whether a host, with or without a port, is an IP address or a name that
/// cannot be registered. The owner of any other name can point it at this machine
/// (DNS rebinding), and a browser then sees the same origin.
fn is_local(host: &[u8]) -> bool {
    let host = std::str::from_utf8(host).unwrap_or_default();
    let end = host.rfind(':').filter(|_| !host.ends_with(']'));
    let name = end.and_then(|end| host.get(..end)).unwrap_or(host);
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let name = name.to_ascii_lowercase();
    let domains = [".localhost", ".local", ".internal", ".svc", ".ts.net"];
    name == "localhost"
        || domains.iter().any(|domain| name.ends_with(domain))
        || address.parse::<IpAddr>().is_ok()
}

impl Cors {
    /// Takes the allowed origins; `*` allows every origin.
    #[must_use]
    pub fn new(origins: Vec<String>) -> Self {
        Self(origins)
    }

    /// Returns whether a text is an origin: a scheme, a host, and optionally a
    /// port, with nothing after it.
    #[must_use]
    pub fn is_origin(text: &str) -> bool {
        let Some((scheme, rest)) = text.split_once(':') else {
            return false;
        };
        let Some(host) = rest.strip_prefix("//") else {
            return false;
        };
        let is_scheme = |c| matches!(c, 'a'..='z' | '0'..='9' | '+' | '-' | '.');
        let is_host =
            |c: char| c.is_ascii_graphic() && !matches!(c, '/' | '?' | '#' | '@' | '\\' | '*');
        !scheme.is_empty()
            && !host.is_empty()
            && scheme.chars().all(is_scheme)
            && host.chars().all(is_host)
    }

    /// Returns the grant of a request's origin if the allowlist has it.
    #[must_use]
    pub fn grant(&self, headers: &Headers) -> Option<Grant> {
        let origin = headers.text("origin")?;
        let allowed = self
            .0
            .iter()
            .any(|allowed| allowed == "*" || allowed == origin);
        // The response echoes the value, so it must be an origin.
        (allowed && Self::is_origin(origin)).then(|| Grant {
            origin: origin.to_owned(),
        })
    }

    /// Returns whether an allowed origin has this host and port.
    fn has_host(&self, host: &str) -> bool {
        let hosts = self.0.iter().filter_map(|origin| origin.split_once("://"));
        let mut hosts = hosts.map(|(_, host)| host);
        hosts.any(|allowed| allowed.eq_ignore_ascii_case(host)) || self.0.iter().any(|o| o == "*")
    }

    /// Returns whether an `OPTIONS` request is a CORS preflight.
    #[must_use]
    pub fn is_preflight(headers: &Headers) -> bool {
        headers.text("access-control-request-method").is_some()
    }
}

impl Grant {
    /// Returns the headers of every response to the granted origin.
    #[must_use]
    pub fn headers(&self) -> [(&'static str, &str); 3] {
        [
            ("access-control-allow-origin", &self.origin),
            ("access-control-expose-headers", EXPOSED),
            ("vary", "origin"),
        ]
    }

    /// Returns the further headers of the response to a preflight. A page may send
    /// any header that it requests: the gateway reads only a few.
    #[must_use]
    pub fn preflight_headers<'h>(&self, headers: &'h Headers) -> [(&'static str, &'h str); 3] {
        let requested = headers.text("access-control-request-headers");
        let requested = requested.filter(|names| {
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ',' | ' ');
            names.len() <= REQUESTED_LIMIT && names.chars().all(is_name)
        });
        [
            ("access-control-allow-methods", "GET, POST, DELETE"),
            (
                "access-control-allow-headers",
                requested.unwrap_or("authorization, content-type"),
            ),
            ("access-control-max-age", MAX_AGE),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(origins: &[&str], origin: &str) -> bool {
        let origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
        Cors::new(origins)
            .grant(&Headers::from([("Origin", origin)]))
            .is_some()
    }

    #[test]
    fn only_a_configured_origin_is_granted() {
        let app = "https://app.example.com";
        assert!(granted(&[app], app));
        assert!(granted(&["*"], app));
        assert!(granted(&["http://localhost:5173"], "http://localhost:5173"));
        for (origins, origin) in [
            (&[][..], app),
            (&[app], "https://app.example.com.evil.net"),
            (&[app], "http://app.example.com"),
            (&[app], "https://app.example.com:8443"),
            (&[app], "null"),
            (&["*"], "null"),
            (&["*"], "https://a\r\nx: y"),
        ] {
            assert!(!granted(origins, origin), "{origins:?} {origin}");
        }
    }

    #[test]
    fn an_origin_ends_with_its_host_or_port() {
        for text in [
            "https://a.example",
            "http://localhost:3000",
            "http://[::1]:80",
            "app-x://y",
        ] {
            assert!(Cors::is_origin(text), "{text}");
        }
        for text in [
            "",
            "a.example",
            "https://",
            "https://a/",
            "https://a/b",
            "https://u@a",
            "https://*.a",
            "HTTPS://a",
        ] {
            assert!(!Cors::is_origin(text), "{text}");
        }
    }

    #[test]
    fn a_preflight_allows_the_requested_headers() {
        let grant = Grant {
            origin: "https://a".to_owned(),
        };
        let allowed = |names: &'static str| {
            let headers = Headers::from([("Access-Control-Request-Headers", names)]);
            grant.preflight_headers(&headers)[1].1.to_owned()
        };
        assert_eq!(
            allowed("authorization,x-stainless-os"),
            "authorization,x-stainless-os"
        );
        assert_eq!(allowed("x\u{7f}"), "authorization, content-type");
        assert_eq!(allowed(""), "authorization, content-type");
    }

    const APP: &str = "https://app.example.com";

    fn post(headers: Headers) -> RequestHead {
        RequestHead {
            method: Method::POST,
            target: String::new(),
            headers,
        }
    }

    fn origin_of(origin: &str, authority: &str) -> Origin {
        let cors = Cors::new(vec![APP.to_owned()]);
        let head = post(Headers::from([("Origin", origin)]));
        Origin::of(&head, || Some(authority.to_owned()), &cors)
    }

    #[test]
    fn the_own_origin_is_trusted_under_a_local_name() {
        for own in [
            "127.0.0.1:3000",
            "[::1]:3000",
            "192.168.0.7",
            "localhost:3000",
            "gate.localhost",
            "Gate.local:3000",
        ] {
            let origin = format!("http://{own}");
            let found = origin_of(&origin, &own.to_lowercase());
            assert_eq!(found, Origin::Trusted, "{own}");
        }
        // The owner of such a name can point it at this machine.
        for rebound in [
            "gate.example",
            "gate.example:3000",
            "127.0.0.1.evil.example:3000",
            "localhost.evil.example",
            "local",
            "[::1].evil.example",
            "[evil.example]",
        ] {
            let origin = format!("http://{rebound}");
            assert_eq!(origin_of(&origin, rebound), Origin::Foreign, "{rebound}");
        }
    }

    #[test]
    fn other_origins_are_trusted_only_in_the_allowlist() {
        assert_eq!(origin_of(APP, "gate.example"), Origin::Trusted);
        for origin in [
            "https://evil.example",
            "null",
            "",
            "http://127.0.0.1",
            "http://127.0.0.1:3001",
            "ftp://127.0.0.1:3000",
            "127.0.0.1:3000",
        ] {
            let found = origin_of(origin, "127.0.0.1:3000");
            assert_eq!(found, Origin::Foreign, "{origin}");
        }
    }

    #[test]
    fn without_an_authority_sec_fetch_site_recognizes_the_own_origin() {
        let found =
            |headers: &Headers| Origin::of(&post(headers.clone()), || None, &Cors::default());
        assert_eq!(found(&Headers::default()), Origin::Absent);
        let own = ("Origin", "https://gate.local");
        assert_eq!(found(&Headers::from([own])), Origin::Foreign);
        let rebound = [
            ("Origin", "https://gate.example"),
            ("Sec-Fetch-Site", "same-origin"),
        ];
        assert_eq!(found(&Headers::from(rebound)), Origin::Foreign);
        for (site, expected) in [
            ("same-origin", Origin::Trusted),
            ("same-site", Origin::Foreign),
        ] {
            let headers = Headers::from([own, ("Sec-Fetch-Site", site)]);
            assert_eq!(found(&headers), expected, "{site}");
        }
    }

    #[test]
    fn a_read_without_an_origin_needs_a_name_that_cannot_be_registered() {
        let of = |method, authority: Option<&str>, headers: &[(&str, &str)]| {
            let fields = headers.iter();
            let fields =
                fields.map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
            let mut head = post(Headers::new(fields.collect()));
            head.method = method;
            let cors = Cors::new(vec![APP.to_owned()]);
            Origin::of(&head, || authority.map(str::to_owned), &cors)
        };
        for own in [
            "127.0.0.1:3000",
            "[::1]:3000",
            "localhost",
            "tidegate:3000",
            "app.example.com",
        ] {
            assert_eq!(of(Method::GET, Some(own), &[]), Origin::Absent, "{own}");
        }
        let rebound = "evil.example:3000";
        for method in [Method::GET, Method::HEAD] {
            assert_eq!(of(method, Some(rebound), &[]), Origin::Unknown);
        }
        assert_eq!(of(Method::POST, Some(rebound), &[]), Origin::Absent);
        assert_eq!(of(Method::GET, None, &[]), Origin::Absent);
        let host = [("host", rebound)];
        assert_eq!(of(Method::GET, None, &host), Origin::Unknown);
        for (site, expected) in [
            ("none", Origin::Absent),
            ("same-origin", Origin::Absent),
            ("same-site", Origin::Foreign),
            ("cross-site", Origin::Foreign),
        ] {
            let headers = [("sec-fetch-site", site)];
            let found = of(Method::GET, Some("localhost"), &headers);
            assert_eq!(found, expected, "{site}");
        }
    }
}
