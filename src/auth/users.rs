//! Users whom a proxy before the gateway has authenticated.
//!
//! Rules: as OpenClaw reads `gateway.auth.trustedProxy`.

use crate::headers::Headers;
use crate::proxies::Sender;

/// How long the name of a user may be, in bytes.
const NAME_LIMIT: usize = 256;

/// Whom a proxy may let in, and how it names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyUsers {
    /// The header in which the proxy names the user.
    pub user_header: String,
    /// The headers that the proxy must have sent beside it.
    pub required_headers: Vec<String>,
    /// The users who are let in; all of them if there is none.
    pub allowed: Vec<String>,
    /// Whether the proxy may be on the gateway's own machine.
    pub loopback: Loopback,
}

/// Whether a proxy may be on the gateway's own machine, where anything that
/// runs there could pass for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loopback {
    /// It may.
    Allowed,
    /// It may not.
    Refused,
}

impl ProxyUsers {
    /// Returns the user whom a request is from, if a trusted proxy says so.
    #[must_use]
    pub fn identify<'h>(&self, headers: &'h Headers, sender: &Sender) -> Option<&'h str> {
        let proxy = sender.proxy()?;
        let is_own = proxy.is_loopback() && self.loopback == Loopback::Refused;
        if is_own || sender.address() == Some(proxy) {
            return None;
        }
        let has = |name: &String| headers.text(name).is_some();
        if !self.required_headers.iter().all(has) {
            return None;
        }
        // Two of them, and one is not the proxy's.
        let mut named = headers.all(&self.user_header);
        let (Some(user), None) = (named.next(), named.next()) else {
            return None;
        };
        let user = std::str::from_utf8(user).ok()?.trim();
        let known = self.allowed.is_empty() || self.allowed.iter().any(|allowed| allowed == user);
        (known && !user.is_empty() && user.len() <= NAME_LIMIT).then_some(user)
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

    fn sender() -> Sender {
        Sender::for_test(Some("203.0.113.9"), Some(PROXY))
    }

    #[test]
    fn the_proxy_names_the_user() {
        let headers = Headers::from([("X-User", " ana@example.com "), ("x-verified", "1")]);
        let identify = |users: &ProxyUsers, sender| users.identify(&headers, &sender).is_some();
        assert_eq!(
            users().identify(&headers, &sender()),
            Some("ana@example.com")
        );
        let only = |name: &str| ProxyUsers {
            allowed: vec![name.to_owned()],
            ..users()
        };
        assert!(identify(&only("ana@example.com"), sender()));
        assert!(!identify(&only("ana"), sender()));
        assert!(!identify(
            &users(),
            Sender::for_test(Some("203.0.113.9"), None)
        ));
        assert!(!identify(
            &users(),
            Sender::for_test(Some(PROXY), Some(PROXY))
        ));
        let own = Sender::for_test(Some("203.0.113.9"), Some("127.0.0.1"));
        assert!(!identify(&users(), own));
        let allowed = ProxyUsers {
            loopback: Loopback::Allowed,
            ..users()
        };
        assert!(identify(&allowed, own));
    }

    #[test]
    fn what_a_proxy_would_not_send_names_nobody() {
        let long = "a".repeat(NAME_LIMIT + 1);
        for headers in [
            Headers::from([("x-user", "ana")]),
            Headers::from([("x-verified", "1")]),
            Headers::from([("x-verified", "1"), ("x-user", " ")]),
            Headers::from([("x-verified", "1"), ("x-user", &long)]),
            Headers::from([("x-verified", "1"), ("x-user", "ana"), ("X-User", "bob")]),
            Headers::from([("x-verified", " "), ("x-user", "ana")]),
        ] {
            assert_eq!(users().identify(&headers, &sender()), None, "{headers:?}");
        }
    }
}
