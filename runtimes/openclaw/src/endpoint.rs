//! Where the upstream server is: a URL, taken apart for `wasi:http`.

use http::Uri;
use http::uri::Authority;

/// Whether the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

/// The address of an upstream server, as the base of its paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    scheme: Scheme,
    authority: String,
    base: String,
}

impl Endpoint {
    /// Parses an http or https URL; a slash at its end makes no difference.
    ///
    /// # Errors
    /// What is wrong with the URL, without quoting it.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        // `Uri` drops a fragment in silence.
        if url.contains('#') {
            return Err("must have no fragment");
        }
        let uri: Uri = url.parse().map_err(|_| "must be an http or https URL")?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            _ => return Err("must be an http or https URL"),
        };
        let authority = uri.authority().ok_or("must name a host")?;
        check_authority(authority)?;
        if uri.query().is_some() {
            return Err("must have no query");
        }
        Ok(Self {
            scheme,
            authority: authority.as_str().to_owned(),
            base: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Returns the URL's scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the host, with its port if the URL has one.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Returns the path of a resource below the URL; `path` begins with a slash.
    #[must_use]
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

/// `Authority` takes any digits for a port.
fn check_authority(authority: &Authority) -> Result<(), &'static str> {
    if authority.as_str().contains('@') {
        return Err("must hold no user name or password; there is `token`");
    }
    if authority.host().is_empty() {
        return Err("must name a host");
    }
    let after_host = authority.as_str().strip_prefix(authority.host());
    if after_host != Some("") && authority.port_u16().is_none() {
        return Err("must have a port from 0 to 65535, or none");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let cases = [
            ("http://a", Scheme::Http, "a", "/v1/x"),
            ("http://a/", Scheme::Http, "a", "/v1/x"),
            (
                "https://a.example:8443",
                Scheme::Https,
                "a.example:8443",
                "/v1/x",
            ),
            ("HTTP://a/", Scheme::Http, "a", "/v1/x"),
            ("http://[::1]:80/", Scheme::Http, "[::1]:80", "/v1/x"),
            ("http://a/base/", Scheme::Http, "a", "/base/v1/x"),
            ("http://a/b/c", Scheme::Http, "a", "/b/c/v1/x"),
        ];
        for (url, scheme, authority, path) in cases {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!(endpoint.scheme(), scheme, "{url}");
            assert_eq!(endpoint.authority(), authority, "{url}");
            assert_eq!(endpoint.path("/v1/x"), path, "{url}");
        }
    }

    #[test]
    fn a_url_that_cannot_be_called_is_refused() {
        let refused = [
            "",
            "a",
            "/v1",
            "a.example:80",
            "ftp://a",
            "http://",
            "http://a b",
            "http://user:word@a",
            "http://user@a",
            "http://a?x=1",
            "http://a/?",
            "http://a/#x",
            "http://a:99999999",
            "http://a:x",
            "http://:80",
        ];
        for url in refused {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
    }
}
