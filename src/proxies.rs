//! The proxies before the gateway, and the headers that they add.
//!
//! Where no proxy is configured, a request with such headers has come through
//! one that nobody has thought of, and whatever it says of the client cannot be
//! believed. The reference refuses it, and so does this.

use crate::headers::Headers;
use crate::rejection::Rejection;

/// The headers by which a proxy tells of the client.
const HEADERS: [&str; 2] = ["forwarded", "x-real-ip"];

/// What the names of all others begin with.
const PREFIX: &str = "x-forwarded-";

/// The proxies that may stand before the gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Vec<String>);

impl Proxies {
    /// Takes the addresses of proxies, as `gateway.trustedProxies` has them.
    #[must_use]
    pub fn new(addresses: Vec<String>) -> Self {
        Self(addresses)
    }

    /// Checks that a request has not come through an unknown proxy.
    ///
    /// # Errors
    /// A proxy's header where no proxy is configured.
    pub fn check(&self, headers: &Headers) -> Result<(), Rejection> {
        let proxied = headers.names().any(|name| {
            let start = name.get(..PREFIX.len());
            HEADERS
                .iter()
                .any(|header| name.eq_ignore_ascii_case(header))
                || start.is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
        });
        if proxied && self.0.is_empty() {
            return Err(Rejection::Proxied);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_must_be_configured() {
        let known = Proxies::new(vec!["10.0.0.1".to_owned()]);
        for name in [
            "Forwarded",
            "X-Real-IP",
            "X-Forwarded-For",
            "x-forwarded-proto",
            "X-Forwarded-Host",
        ] {
            let headers = Headers::from([(name, "192.0.2.1")]);
            assert_eq!(
                Proxies::default().check(&headers),
                Err(Rejection::Proxied),
                "{name}"
            );
            assert_eq!(known.check(&headers), Ok(()), "{name}");
        }
    }

    #[test]
    fn other_headers_say_nothing_of_proxies() {
        let headers = Headers::from([
            ("Via", "1.1 edge"),
            ("X-Forwarded", "x"),
            ("é", "x"),
            ("x", "y"),
        ]);
        assert_eq!(Proxies::default().check(&headers), Ok(()));
    }
}
