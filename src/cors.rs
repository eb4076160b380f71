//! Which web pages may use the gateway from a browser.
//!
//! Rules: the Fetch standard, section 3.3 (HTTP-CORS protocol). Credentials in
//! its sense, cookies, are never allowed: keys travel in `Authorization`.

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
        let Some((scheme, host)) = text.split_once("://") else {
            return false;
        };
        let is_scheme = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c);
        let is_host = |c: char| c.is_ascii_graphic() && !"/?#@\\*".contains(c);
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
            let is_name = |c: char| c.is_ascii_alphanumeric() || "-_, ".contains(c);
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
}
