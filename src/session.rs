//! The session key: which conversation of the runtime a request belongs to.
//!
//! A key made from the OpenAI field `user` is a hash, so that it tells nothing
//! of the user, cannot be guessed by whoever knows another user's name, and
//! can never be made by naming it: the same user of two callers, or with two
//! agents, has two sessions.
//!
//! Namespaces: those of OpenClaw's endpoint (`openai:`, `openai-user:`).

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use tidegate_config::Secret;
use uuid::Uuid;

use crate::agent::AgentId;
use crate::auth::Caller;
use crate::headers::Headers;
use crate::hex;
use crate::rejection::Rejection;

/// The header by which a client names a session of the runtime directly.
pub const SESSION_HEADER: &str = "x-openclaw-session-key";

/// What sets the hash apart from all other uses of SHA-256. The `1` is the
/// version of the derivation.
const DOMAIN: &[u8] = b"tidegate/session-key/1";

/// Namespaces of the runtime's own that no client may enter.
const RESERVED: [&str; 4] = ["subagent:", "cron:", "acp:", "harness:"];

/// The length of SHA-256's blocks, in bytes.
const BLOCK: usize = 64;

/// The longest session key that a header may name, in bytes.
const HEADER_KEY_LIMIT: usize = 512;

/// The name of a session, in lower case, beginning with its agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionKey(String);

impl SessionKey {
    /// Returns a key that no other request has.
    #[must_use]
    pub fn fresh(agent: &AgentId, id: Uuid) -> Self {
        Self(format!("agent:{agent}:openai:{id}"))
    }

    /// Returns the key of a caller's user, the same for every request.
    ///
    /// The 64 hexadecimal digits are SHA-256, or HMAC-SHA-256 under `secret`,
    /// of the domain tag followed by caller, agent and user, each after its
    /// length in bytes as eight bytes, big end first.
    #[must_use]
    pub fn of_user(caller: &Caller, agent: &AgentId, user: &str, secret: Option<&Secret>) -> Self {
        let message = derivation(&[caller.name(), agent.as_str(), user]);
        let digest = match secret {
            None => Sha256::digest(&message).into(),
            Some(secret) => keyed_digest(secret, &message),
        };
        Self(format!("agent:{agent}:openai-user:{}", hex::lower(&digest)))
    }

    /// Returns the key that a header names: a full one of the request's agent,
    /// or a name that is put below it.
    ///
    /// # Errors
    /// A reserved namespace, another agent's key, a malformed or an overlong
    /// one.
    pub fn named(agent: &AgentId, header: &str) -> Result<Self, Rejection> {
        let refuse = |message: &str| Rejection::invalid(SESSION_HEADER, message);
        let key = header.trim().to_ascii_lowercase();
        if key.len() > HEADER_KEY_LIMIT {
            return Err(refuse("`x-openclaw-session-key` is longer than 512 bytes."));
        }
        let name = match key.strip_prefix("agent:") {
            None => key.as_str(),
            Some(rest) => match rest.split_once(':') {
                Some((id, name)) if id == agent.as_str() && !name.is_empty() => name,
                Some((id, name)) if AgentId::parse(id).is_some() && !name.is_empty() => {
                    return Err(refuse(
                        "`x-openclaw-session-key` names a session of another agent than the request.",
                    ));
                }
                _ => {
                    return Err(refuse(
                        "`x-openclaw-session-key` must be a name or `agent:<agentId>:<name>`.",
                    ));
                }
            },
        };
        if RESERVED.iter().any(|namespace| name.starts_with(namespace)) {
            return Err(refuse(
                "`x-openclaw-session-key` cannot use reserved internal session namespaces.",
            ));
        }
        Ok(Self(format!("agent:{agent}:{name}")))
    }

    /// Returns the key as the runtime contract takes it.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    /// Returns a short digest that tells sessions apart in a log without
    /// telling which they are.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut digest = hex::lower(&Sha256::digest(self.0.as_bytes()).into());
        digest.truncate(12);
        digest
    }
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Chooses the session of a request: the one that the header names, else that
/// of the user, else a fresh one.
///
/// # Errors
/// Those of [`SessionKey::named`].
pub fn select(
    headers: &Headers,
    user: Option<&str>,
    caller: &Caller,
    agent: &AgentId,
    secret: Option<&Secret>,
    fresh: Uuid,
) -> Result<SessionKey, Rejection> {
    if let Some(key) = headers.text(SESSION_HEADER) {
        return SessionKey::named(agent, key);
    }
    Ok(match user.map(str::trim).filter(|user| !user.is_empty()) {
        Some(user) => SessionKey::of_user(caller, agent, user, secret),
        None => SessionKey::fresh(agent, fresh),
    })
}

/// Joins the parts so that no two lists of parts give the same bytes.
fn derivation(parts: &[&str]) -> Vec<u8> {
    let mut message = DOMAIN.to_vec();
    for part in parts {
        message.extend((part.len() as u64).to_be_bytes());
        message.extend(part.as_bytes());
    }
    message
}

/// HMAC-SHA-256 (RFC 2104). The key is padded here, because a key of the
/// block's length is one that cannot be refused.
fn keyed_digest(secret: &Secret, message: &[u8]) -> [u8; 32] {
    let secret = secret.expose().as_bytes();
    let hashed;
    let key = if secret.len() > BLOCK {
        hashed = Sha256::digest(secret);
        hashed.as_slice()
    } else {
        secret
    };
    let mut block = [0; BLOCK];
    block
        .iter_mut()
        .zip(key)
        .for_each(|(padded, byte)| *padded = *byte);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(id: &str) -> AgentId {
        AgentId::parse(id).unwrap()
    }

    fn of_user(caller: &str, id: &str, user: &str) -> String {
        SessionKey::of_user(&Caller::for_test(caller), &agent(id), user, None).into_string()
    }

    #[test]
    fn the_published_vectors_hold() {
        let caller = Caller::for_test("owner");
        let plain = SessionKey::of_user(&caller, &agent("main"), "alice", None);
        assert_eq!(
            plain.into_string(),
            "agent:main:openai-user:36bbd35de21fe0bc296bc879ace53dbc062881b752ea987be39c53299b166646"
        );
        let secret = Secret::new("pepper");
        let keyed = SessionKey::of_user(&caller, &agent("main"), "alice", Some(&secret));
        assert_eq!(
            keyed.into_string(),
            "agent:main:openai-user:ff6e740d3ed4b27e508782552158b0f0e2c696dcaa089bfe8a4ea1fd4ff4f138"
        );
    }

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        let vectors = [
            (
                "\u{b}".repeat(20),
                "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            // A key longer than a block stands for its digest.
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
            let digest = keyed_digest(&Secret::new(key), message.as_bytes());
            assert_eq!(hex::lower(&digest), expected);
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
    fn parts_never_run_together() {
        let joined = [
            derivation(&["a", "b", "c"]),
            derivation(&["ab", "", "c"]),
            derivation(&["a", "bc", ""]),
            derivation(&["", "abc", ""]),
            derivation(&["abc"]),
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
    fn a_header_names_a_session_below_the_requests_agent() {
        let main = agent("main");
        for (header, key) in [
            ("My-Session", "agent:main:my-session"),
            (" agent:MAIN:x ", "agent:main:x"),
            ("agent:main:foo:subagent:x", "agent:main:foo:subagent:x"),
            ("main", "agent:main:main"),
        ] {
            let named = SessionKey::named(&main, header).map(SessionKey::into_string);
            assert_eq!(named.as_deref(), Ok(key), "{header}");
        }
    }

    #[test]
    fn reserved_foreign_and_malformed_session_keys_are_refused() {
        let long = "k".repeat(513);
        for header in [
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
            &long,
        ] {
            assert!(
                SessionKey::named(&agent("main"), header).is_err(),
                "{header}"
            );
        }
    }

    #[test]
    fn the_header_goes_before_the_user_and_a_blank_one_does_not_count() {
        let (caller, main) = (Caller::for_test("owner"), agent("main"));
        let choose = |header: &'static str, user| {
            let headers = Headers::from([(SESSION_HEADER, header)]);
            let key = select(&headers, user, &caller, &main, None, Uuid::nil());
            key.unwrap().into_string()
        };
        assert_eq!(choose("named", Some("alice")), "agent:main:named");
        assert_eq!(
            choose("  ", Some("alice")),
            of_user("owner", "main", "alice")
        );
        assert_eq!(
            choose("", Some(" alice ")),
            of_user("owner", "main", "alice")
        );
        let fresh = "agent:main:openai:00000000-0000-0000-0000-000000000000";
        assert_eq!(choose("", Some("  ")), fresh);
        assert_eq!(choose("", None), fresh);
    }
}
