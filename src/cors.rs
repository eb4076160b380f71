//! Which web pages may use the gateway from a browser.
//!
//! Rules: the Fetch standard, section 3.3 (HTTP-CORS protocol). Credentials in
//! its sense, cookies, are never allowed: keys travel in `Authorization`.

use std::net::IpAddr;

use crate::headers::Headers;

/// The headers of an answer that a page may read.
const EXPOSED: &str = "x-request-id, retry-after, x-should-retry";

/// How long a browser may remember the answer to a preflight, in seconds.
const MAX_AGE: &str = "600";

/// How long a list of requested headers may be, in bytes.
const REQUESTED_LIMIT: usize = 1024;

/// The origins of the pages that may use the gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors(Vec<String>);

/// A page's permission to read an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    origin: String,
}

/// The web page that sent a request, if one did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// None did, as far as browsers tell.
    Absent,
    /// One of the gateway's own origin where nobody else can have it, or of an
    /// origin that may use the gateway.
    Known,
    /// Any other.
    Foreign,
}

impl Page {
    /// Finds out which page sent a request to an authority (RFC 3986, section
    /// 3.2), with or without a permission.
    #[must_use]
    pub fn of(
        headers: &Headers,
        authority: impl FnOnce() -> Option<String>,
        grant: Option<&Grant>,
    ) -> Self {
        let Some(origin) = headers.first("origin") else {
            return Self::Absent;
        };
        let origin = origin.trim_ascii();
        let schemes = [&b"http://"[..], b"https://"];
        let host = schemes
            .iter()
            .find_map(|scheme| origin.strip_prefix(*scheme));
        let is_own = host
            .zip(authority())
            .is_some_and(|(host, authority)| host.eq_ignore_ascii_case(authority.as_bytes()));
        // Not every host tells its authority. Browsers tell this, too, and no
        // page can change it (Fetch Metadata, section 2.3).
        let is_same = headers.first("sec-fetch-site") == Some(b"same-origin");
        let is_local = host.is_some_and(is_local);
        if (is_local && (is_own || is_same)) || grant.is_some() {
            Self::Known
        } else {
            Self::Foreign
        }
    }
}

/// Tells whether a host, with or without a port, is an address or has a name that
/// nobody can register. Any other name may be led to this machine by whoever owns
/// it, and its page is then one of the same origin to the browser.
fn is_local(host: &[u8]) -> bool {
    let host = std::str::from_utf8(host).unwrap_or_default();
    let end = host.rfind(':').filter(|_| !host.ends_with(']'));
    let name = end.and_then(|end| host.get(..end)).unwrap_or(host);
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let name = name.to_ascii_lowercase();
    let domains = [".localhost", ".local", ".ts.net"];
    name == "localhost"
        || domains.iter().any(|domain| name.ends_with(domain))
        || address.parse::<IpAddr>().is_ok()
}

impl Cors {
    /// Takes origins; `*` stands for all of them.
    #[must_use]
    pub fn new(origins: Vec<String>) -> Self {
        Self(origins)
    }

    /// Tells whether a text has the form of an origin: scheme, host and perhaps
    /// port, and nothing after it.
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

    /// Returns the permission of the page that sent a request, if it has one.
    #[must_use]
    pub fn grant(&self, headers: &Headers) -> Option<Grant> {
        let origin = headers.text("origin")?;
        let allowed = self
            .0
            .iter()
            .any(|allowed| allowed == "*" || allowed == origin);
        // Whatever is echoed must be an origin.
        (allowed && Self::is_origin(origin)).then(|| Grant {
            origin: origin.to_owned(),
        })
    }

    /// Tells whether a request is a browser's question for permission.
    #[must_use]
    pub fn is_preflight(headers: &Headers) -> bool {
        headers.text("access-control-request-method").is_some()
    }
}

impl Grant {
    /// Returns the headers of an answer that the page may read.
    #[must_use]
    pub fn headers(&self) -> [(&'static str, &str); 3] {
        [
            ("access-control-allow-origin", &self.origin),
            ("access-control-expose-headers", EXPOSED),
            ("vary", "origin"),
        ]
    }

    /// Returns the further headers of the answer to a preflight. What headers
    /// a page wants to send is allowed to it: a gateway looks at few of them.
    #[must_use]
    pub fn preflight_headers<'h>(&self, headers: &'h Headers) -> [(&'static str, &'h str); 3] {
        let requested = headers.text("access-control-request-headers");
        let requested = requested.filter(|names| {
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ',' | ' ');
            names.len() <= REQUESTED_LIMIT && names.chars().all(is_name)
        });
        [
            ("access-control-allow-methods", "GET, POST"),
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
    fn a_preflight_is_allowed_the_headers_that_it_asks_for() {
        let grant = Grant {
            origin: "https://a".to_owned(),
        };
        let asked = |names: &'static str| {
            let headers = Headers::from([("Access-Control-Request-Headers", names)]);
            grant.preflight_headers(&headers)[1].1.to_owned()
        };
        assert_eq!(
            asked("authorization,x-stainless-os"),
            "authorization,x-stainless-os"
        );
        assert_eq!(asked("x\u{7f}"), "authorization, content-type");
        assert_eq!(asked(""), "authorization, content-type");
    }

    #[test]
    fn only_pages_of_the_gateway_and_permitted_ones_are_known() {
        let cors = Cors::new(vec!["https://app.example.com".to_owned()]);
        let page = |origin: &str, host: &str| {
            let headers = Headers::from([("Origin", origin)]);
            let authority = || Some(host.to_owned());
            Page::of(&headers, authority, cors.grant(&headers).as_ref())
        };
        for own in [
            "127.0.0.1:3000",
            "[::1]:3000",
            "192.168.0.7",
            "localhost:3000",
            "gate.localhost",
            "Gate.local:3000",
        ] {
            let origin = format!("http://{own}");
            assert_eq!(page(&origin, &own.to_lowercase()), Page::Known, "{own}");
        }
        // Whoever owns such a name can have it lead here.
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
            assert_eq!(page(&origin, rebound), Page::Foreign, "{rebound}");
        }
        assert_eq!(page("https://app.example.com", "gate.example"), Page::Known);
        for origin in [
            "https://evil.example",
            "null",
            "",
            "http://127.0.0.1",
            "http://127.0.0.1:3001",
            "ftp://127.0.0.1:3000",
            "127.0.0.1:3000",
        ] {
            assert_eq!(page(origin, "127.0.0.1:3000"), Page::Foreign, "{origin}");
        }
        let unheard = |headers: &Headers| Page::of(headers, || None, None);
        assert_eq!(unheard(&Headers::default()), Page::Absent);
        let own = ("Origin", "https://gate.local");
        assert_eq!(unheard(&Headers::from([own])), Page::Foreign);
        let rebound = [
            ("Origin", "https://gate.example"),
            ("Sec-Fetch-Site", "same-origin"),
        ];
        assert_eq!(unheard(&Headers::from(rebound)), Page::Foreign);
        for (site, page) in [("same-origin", Page::Known), ("same-site", Page::Foreign)] {
            let headers = Headers::from([own, ("Sec-Fetch-Site", site)]);
            assert_eq!(unheard(&headers), page, "{site}");
        }
    }
}
