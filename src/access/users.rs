//! Users that a trusted proxy has authenticated.
//!
//! The rules are OpenClaw's for `gateway.auth.trustedProxy`.

use crate::inbound::{ClientAddress, Headers};

/// The maximum length of a user's name, in bytes.
const NAME_LIMIT: usize = 256;

/// How a trusted proxy sends the user, and which users are allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyUsers {
    /// The header that holds the user's name.
    pub user_header: String,
    /// Further headers that the proxy must send.
    pub required_headers: Vec<String>,
    /// The allowed users. An empty list allows all users.
    pub allowed: Vec<String>,
    /// Whether the proxy may run on the gateway's machine.
    pub loopback: Loopback,
}

/// Whether a proxy may connect from a loopback address, where any local program
/// could impersonate it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loopback {
    /// It may.
    Allowed,
    /// It may not.
    Refused,
}

impl ProxyUsers {
    /// Returns the user of a request from a trusted proxy.
    #[must_use]
    pub fn identify<'h>(&self, headers: &'h Headers, address: &ClientAddress) -> Option<&'h str> {
        let proxy = address.proxy()?;
        let is_refused = proxy.is_loopback() && self.loopback == Loopback::Refused;
        if is_refused || address.client() == Some(proxy) {
            return None;
        }
        let has = |name: &String| headers.text(name).is_some();
        if !self.required_headers.iter().all(has) {
            return None;
        }
        // A second value would come from the client.
        let mut names = headers.all(&self.user_header);
        let (Some(name), None) = (names.next(), names.next()) else {
            return None;
        };
        let user = std::str::from_utf8(name).ok()?.trim();
        let is_allowed =
            self.allowed.is_empty() || self.allowed.iter().any(|allowed| allowed == user);
        (is_allowed && !user.is_empty() && user.len() <= NAME_LIMIT).then_some(user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn users() -> ProxyUsers {
        ProxyUsers {
            user_header: "x-user".to_owned(),
            required_headers: vec!["x-verified".to_owned()],
            allowed: Vec::new(),
            loopback: Loopback::Refused,
        }
    }

    fn address() -> ClientAddress {
        ClientAddress::for_test(Some("203.0.113.9"), Some(PROXY))
    }

    #[test]
    fn the_proxy_sends_the_user() {
        let headers = Headers::from([("X-User", " ana@example.com "), ("x-verified", "1")]);
        let identify = |users: &ProxyUsers, address| users.identify(&headers, &address).is_some();
        assert_eq!(
            users().identify(&headers, &address()),
            Some("ana@example.com")
        );
        let only = |name: &str| ProxyUsers {
            allowed: vec![name.to_owned()],
            ..users()
        };
        assert!(identify(&only("ana@example.com"), address()));
        assert!(!identify(&only("ana"), address()));
        assert!(!identify(
            &users(),
            ClientAddress::for_test(Some("203.0.113.9"), None)
        ));
        assert!(!identify(
            &users(),
            ClientAddress::for_test(Some(PROXY), Some(PROXY))
        ));
        let own = ClientAddress::for_test(Some("203.0.113.9"), Some("127.0.0.1"));
        assert!(!identify(&users(), own));
        let allowed = ProxyUsers {
            loopback: Loopback::Allowed,
            ..users()
        };
        assert!(identify(&allowed, own));
    }

    #[test]
    fn invalid_headers_identify_no_user() {
        let long = "a".repeat(NAME_LIMIT + 1);
        for headers in [
            Headers::from([("x-user", "ana")]),
            Headers::from([("x-verified", "1")]),
            Headers::from([("x-verified", "1"), ("x-user", " ")]),
            Headers::from([("x-verified", "1"), ("x-user", &long)]),
            Headers::from([("x-verified", "1"), ("x-user", "ana"), ("X-User", "bob")]),
            Headers::from([("x-verified", " "), ("x-user", "ana")]),
        ] {
            assert_eq!(users().identify(&headers, &address()), None, "{headers:?}");
        }
    }
}
