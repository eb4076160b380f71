//! The URL of a backend, split for `wasi:http`.

/// Whether the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

/// The base URL of a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    scheme: Scheme,
    authority: String,
    base: String,
}

impl Endpoint {
    /// Parses an http or https URL. A trailing slash is ignored.
    ///
    /// # Errors
    /// The violated rule, without the URL.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        let not_http = "must be an http or https URL";
        let (scheme, rest) = url.split_once("://").ok_or(not_http)?;
        let scheme = match scheme {
            _ if scheme.eq_ignore_ascii_case("http") => Scheme::Http,
            _ if scheme.eq_ignore_ascii_case("https") => Scheme::Https,
            _ => return Err(not_http),
        };
        if rest.contains('#') {
            return Err("must not have a fragment");
        }
        if rest.contains('?') {
            return Err("must not have a query");
        }
        if !rest.bytes().all(is_url_byte) {
            return Err(not_http);
        }
        let slash = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(slash).ok_or(not_http)?;
        check_authority(authority)?;
        Ok(Self {
            scheme,
            authority: authority.to_ascii_lowercase(),
            base: path.trim_end_matches('/').to_owned(),
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

    /// Returns the URL in its normal form.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        [scheme, "://", &self.authority, &self.base].concat()
    }

    /// Appends a path, which begins with a slash, to the path of the URL.
    #[must_use]
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

/// Returns whether a URL may contain a byte without encoding (RFC 3986, section 2).
fn is_url_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)
}

fn check_authority(authority: &str) -> Result<(), &'static str> {
    if authority.contains('@') {
        return Err("must not contain a user name or password; set `token`");
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(address) => address.split_once(']').ok_or("must name a host")?,
        None => authority
            .split_at_checked(authority.find(':').unwrap_or(authority.len()))
            .ok_or("must name a host")?,
    };
    if host.is_empty() {
        return Err("must name a host");
    }
    let is_port =
        |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
    if port.is_empty() || port.strip_prefix(':').is_some_and(is_port) {
        Ok(())
    } else {
        Err("must have a port from 0 to 65535, or no port")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_split() {
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
    fn a_url_has_one_normal_form() {
        for url in ["https://a.example:8443/b", "HTTPS://A.example:8443/b//"] {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!(endpoint.url(), "https://a.example:8443/b", "{url}");
        }
        assert_eq!(Endpoint::parse("http://a/").unwrap().url(), "http://a");
    }

    #[test]
    fn an_invalid_url_is_rejected() {
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
            "http://a:99999999",
            "http://a:+80",
            "http://[::1",
            "http://[::1]x",
            "http://a b",
            "http://a:99999999",
            "http://a:x",
            "http://:80",
        ];
        for url in refused {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
    }
}
