//! Session keys: which conversation of the runtime a request continues.
//!
//! The key of an OpenAI `user` is a hash. It does not reveal the user, a client
//! cannot compute it for another user of another caller, and a client cannot name
//! it. The same user of two callers, or with two agents, has two sessions.
//!
//! The namespaces `openai:`, `openai-user:`, `openresponses:` and `openresponses-user:` are
//! OpenClaw's.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use tidegate_config::Secret;
use uuid::Uuid;

use crate::access::permissions::SESSION_HEADER;
use crate::access::{Caller, short_digest, to_hex};
use crate::agents::AgentId;
use crate::rejection::Rejection;
use crate::runtime::Continuity;

/// The domain of the hash. The `1` is the version of the derivation.
const DOMAIN: &[u8] = b"tidegate/session-key/1";

/// Namespaces that clients cannot name: the runtime's internal ones, and those of
/// the gateway's own keys.
const RESERVED: [&str; 10] = [
    "subagent:",
    "cron:",
    "acp:",
    "harness:",
    "openai:",
    "openai-user:",
    "openai-chat:",
    "openai-named:",
    "openresponses:",
    "openresponses-user:",
];

/// The maximum length of the session header, in bytes.
const HEADER_LIMIT: usize = 4096;

/// The key of the hash: HMAC-SHA-256 (RFC 2104).
#[derive(Clone)]
pub struct SessionSecret(Hmac<Sha256>);

impl SessionSecret {
    /// Takes a secret of any length.
    #[must_use]
    pub fn new(secret: &Secret) -> Option<Self> {
        Hmac::new_from_slice(secret.expose().as_bytes())
            .ok()
            .map(Self)
    }

    /// Returns the digest of values for one purpose, the domain.
    #[must_use]
    pub fn digest(&self, domain: &[u8], values: &[&[u8]]) -> [u8; 32] {
        self.tag(&domain_message(domain, values))
    }

    /// Returns the tag of a message.
    pub(super) fn tag(&self, message: &[u8]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    /// Returns whether a message has this tag, in constant time.
    pub(super) fn verifies(&self, message: &[u8], tag: &[u8]) -> bool {
        let mut mac = self.0.clone();
        mac.update(message);
        mac.verify_slice(tag).is_ok()
    }
}

/// A session key: in lower case, and beginning with the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionKey {
    key: String,
    continuity: Continuity,
}

impl SessionKey {
    /// Makes a key that only one request has.
    #[must_use]
    pub fn fresh(agent: &AgentId, id: Uuid) -> Self {
        Self {
            key: format!("agent:{agent}:openai:{id}"),
            continuity: Continuity::Fresh,
        }
    }

    /// Makes the key of a caller's user, the same for every request.
    ///
    /// The 64 hexadecimal digits are SHA-256, or HMAC-SHA-256 with `secret`, of the
    /// domain followed by caller, agent and user. Before each of them is its length
    /// in bytes, as a 64-bit big-endian number.
    #[must_use]
    pub fn of_user(
        caller: &Caller,
        agent: &AgentId,
        user: &str,
        secret: Option<&SessionSecret>,
    ) -> Self {
        let name = caller.name();
        let digest = digest(&[&name, agent.as_str(), user], secret);
        Self::continued(agent, "openai-user:", &digest)
    }

    /// Makes the key of a conversation that a header names. The conversation is the
    /// fourth part of the hash.
    #[must_use]
    pub fn of_conversation(
        caller: &Caller,
        agent: &AgentId,
        user: &str,
        conversation: &str,
        secret: Option<&SessionSecret>,
    ) -> Self {
        let name = caller.name();
        let digest = digest(&[&name, agent.as_str(), user, conversation], secret);
        Self::continued(agent, "openai-chat:", &digest)
    }

    /// Makes the key of a tenant's named session, which no other caller can name.
    /// The name is the fourth part of the hash, and the word `named` the fifth.
    pub(super) fn of_tenant(
        self,
        caller: &Caller,
        agent: &AgentId,
        secret: Option<&SessionSecret>,
    ) -> Self {
        let name = caller.name();
        let digest = digest(&[&name, agent.as_str(), "", &self.key, "named"], secret);
        Self::continued(agent, "openai-named:", &digest)
    }

    fn continued(agent: &AgentId, namespace: &str, name: &str) -> Self {
        Self {
            key: format!("agent:{agent}:{namespace}{name}"),
            continuity: Continuity::Continued,
        }
    }

    /// Parses the session header: a name, or a full key of the request's agent.
    ///
    /// # Errors
    /// A reserved namespace, a key of another agent, and an invalid or too long
    /// value.
    pub(super) fn named(agent: &AgentId, header: &str) -> Result<Self, Rejection> {
        let reject = |message: &str| Rejection::invalid(SESSION_HEADER, message);
        let key = header.trim().to_ascii_lowercase();
        if key.len() > HEADER_LIMIT {
            return Err(reject(
                "`x-openclaw-session-key` is longer than 4096 bytes.",
            ));
        }
        let malformed =
            || reject("`x-openclaw-session-key` must be a name or `agent:<agentId>:<name>`.");
        let name = match key.strip_prefix("agent:") {
            None if key.is_empty() => return Err(malformed()),
            None => key.as_str(),
            Some(rest) => match rest.split_once(':') {
                Some((id, name)) if id == agent.as_str() && !name.is_empty() => name,
                Some((id, name)) if AgentId::parse(id).is_some() && !name.is_empty() => {
                    return Err(reject(
                        "`x-openclaw-session-key` names a session of another agent.",
                    ));
                }
                Some(_) | None => return Err(malformed()),
            },
        };
        // OpenClaw skips both, so a reserved namespace could follow them.
        if name.starts_with(|c: char| c == ':' || c.is_whitespace()) {
            return Err(reject(
                "The name in `x-openclaw-session-key` must not begin with a colon or a space.",
            ));
        }
        if RESERVED.iter().any(|namespace| name.starts_with(namespace)) {
            return Err(reject(
                "`x-openclaw-session-key` cannot use reserved internal session namespaces.",
            ));
        }
        Ok(Self::continued(agent, "", name))
    }

    /// Makes the key of a response's session, which the gateway itself has written into the
    /// response's id. Returns its agent, too.
    pub(super) fn of_response(key: &str) -> Option<(AgentId, Self)> {
        let (agent, name) = key.strip_prefix("agent:")?.split_once(':')?;
        let agent = AgentId::parse(agent)?;
        let key = Self::continued(&agent, "", name);
        Some((agent, key))
    }

    /// Returns the key for a run whose response leads back to the session.
    pub(super) fn opened(self) -> Self {
        let continuity = match self.continuity {
            Continuity::Fresh | Continuity::Opening => Continuity::Opening,
            Continuity::Continued => Continuity::Continued,
        };
        Self { continuity, ..self }
    }

    /// Returns whether earlier runs can be part of the session.
    #[must_use]
    pub fn continuity(&self) -> Continuity {
        self.continuity
    }

    /// Returns a short digest for the access log. Equal digests mean one session.
    #[must_use]
    pub fn digest(&self) -> String {
        short_digest(self.key.as_bytes())
    }
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)
    }
}

fn digest(parts: &[&str], secret: Option<&SessionSecret>) -> String {
    let message = message(parts);
    to_hex(&match secret {
        None => Sha256::digest(&message).into(),
        Some(secret) => secret.tag(&message),
    })
}

fn message(parts: &[&str]) -> Vec<u8> {
    let parts: Vec<_> = parts.iter().map(|part| part.as_bytes()).collect();
    domain_message(DOMAIN, &parts)
}

/// Joins a domain and parts so that two different lists never give the same bytes.
pub(super) fn domain_message(domain: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut message = domain.to_vec();
    for part in parts {
        message.extend((part.len() as u64).to_be_bytes());
        message.extend(*part);
    }
    message
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn agent(id: &str) -> AgentId {
        AgentId::parse(id).unwrap()
    }

    fn of_user(caller: &str, id: &str, user: &str) -> String {
        SessionKey::of_user(&Caller::for_test(caller), &agent(id), user, None).to_string()
    }

    #[test]
    fn the_published_vectors_hold() {
        let caller = Caller::for_test("owner");
        let plain = SessionKey::of_user(&caller, &agent("main"), "alice", None);
        assert_eq!(
            plain.to_string(),
            "agent:main:openai-user:36bbd35de21fe0bc296bc879ace53dbc062881b752ea987be39c53299b166646"
        );
        let secret = SessionSecret::new(&Secret::new("pepper")).unwrap();
        let keyed = SessionKey::of_user(&caller, &agent("main"), "alice", Some(&secret));
        assert_eq!(
            keyed.to_string(),
            "agent:main:openai-user:ff6e740d3ed4b27e508782552158b0f0e2c696dcaa089bfe8a4ea1fd4ff4f138"
        );
    }

    #[test]
    fn hmac_matches_rfc_4231() {
        let vectors = [
            (
                "\u{b}".repeat(20),
                "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            // A key longer than a block is replaced by its digest.
            (
                "k".repeat(65),
                "m",
                "c2d7d4c2256ddb097409ec0c67e1d58fa1a007fc6932cac0d892a525d08af7cc",
            ),
            (
                "Jefe".to_owned(),
                "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
        ];
        for (key, message, expected) in vectors {
            let secret = SessionSecret::new(&Secret::new(key)).unwrap();
            assert_eq!(to_hex(&secret.tag(message.as_bytes())), expected);
        }
    }

    #[test]
    fn a_user_has_one_session_for_each_caller_and_agent() {
        let mut keys = vec![
            of_user("owner", "main", "alice"),
            of_user("owner", "main", "Alice"),
            of_user("owner", "main", "alice "),
            of_user("owner", "research", "alice"),
            of_user("key:web", "main", "alice"),
        ];
        assert_eq!(of_user("owner", "main", "alice"), keys[0]);
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 5);
    }

    #[test]
    fn different_parts_give_different_bytes() {
        let joined = [
            message(&["a", "b", "c"]),
            message(&["ab", "", "c"]),
            message(&["a", "bc", ""]),
            message(&["", "abc", ""]),
            message(&["abc"]),
        ];
        for (n, one) in joined.iter().enumerate() {
            assert!(!joined[..n].contains(one));
        }
    }

    #[test]
    fn the_user_is_not_in_the_key() {
        assert!(!of_user("owner", "main", "alice").contains("alice"));
    }

    #[test]
    fn a_header_names_a_session_of_the_requests_agent() {
        let main = agent("main");
        for (header, key) in [
            ("My-Session", "agent:main:my-session"),
            (" agent:MAIN:x ", "agent:main:x"),
            ("agent:main:foo:subagent:x", "agent:main:foo:subagent:x"),
            ("main", "agent:main:main"),
        ] {
            let named = SessionKey::named(&main, header).map(|key| key.to_string());
            assert_eq!(named.as_deref(), Ok(key), "{header}");
        }
    }

    #[test]
    fn reserved_foreign_and_invalid_session_keys_are_rejected() {
        let long = "k".repeat(HEADER_LIMIT + 1);
        for header in [
            "openai:x",
            "agent:main::cron:x",
            "agent:main: cron:x",
            "agent:main:\t:cron:x",
            ":cron:x",
            "agent:main:openai-user:x",
            "OpenAI-Chat:x",
            "subagent:x",
            "CRON:x",
            "acp:x",
            "harness:x",
            "agent:main:cron:x",
            "agent:beta:x",
            "agent:main",
            "agent:main:",
            "agent::x",
            "agent:",
            "",
            " ",
            &long,
        ] {
            assert!(
                SessionKey::named(&agent("main"), header).is_err(),
                "{header}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_header_names_a_session_of_the_agent_or_is_rejected(
            header in "(agent:)?(main|beta|Main)?:?[ \t:]{0,2}(cron:|subagent:)?\\PC{0,20}"
        ) {
            let main = agent("main");
            match SessionKey::named(&main, &header).map(|key| key.to_string()) {
                Ok(key) => {
                    let name = key.strip_prefix("agent:main:");
                    prop_assert!(name.is_some_and(|name| {
                        let name = name.trim_start();
                        !name.is_empty() && !RESERVED.iter().any(|space| name.starts_with(space))
                    }), "{}", key);
                    prop_assert!(!key.contains(|c: char| c.is_ascii_uppercase()), "{}", key);
                    // The full key is accepted, too.
                    let again = SessionKey::named(&main, &key).map(|key| key.to_string());
                    prop_assert_eq!(again, Ok(key));
                }
                Err(Rejection::Invalid { param, .. }) => {
                    prop_assert_eq!(param.as_deref(), Some(SESSION_HEADER));
                }
                Err(other) => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
