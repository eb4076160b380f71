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
use crate::runtime::Continuity;

/// The header by which a client names a session of the runtime directly.
pub const SESSION_HEADER: &str = "x-openclaw-session-key";

/// What sets the hash apart from all other uses of SHA-256. The `1` is the
/// version of the derivation.
const DOMAIN: &[u8] = b"tidegate/session-key/1";

/// Namespaces that no client may enter: those of the runtime's own, and those
/// in which the gateway keeps one user's sessions apart from another's.
const RESERVED: [&str; 8] = [
    "subagent:",
    "cron:",
    "acp:",
    "harness:",
    "openai:",
    "openai-user:",
    "openai-chat:",
    "openai-named:",
];

/// The headers by which clients name a conversation without being asked to:
/// Open WebUI's, and the one that LibreChat's documentation sets.
pub const CONVERSATION_HEADERS: [&str; 2] = ["x-openwebui-chat-id", "x-conversation-id"];

/// The length of SHA-256's blocks, in bytes.
const BLOCK: usize = 64;

/// The longest session key that a header may name, in bytes.
const HEADER_KEY_LIMIT: usize = 4096;

/// How sessions are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRules {
    /// The key of the hash; none leaves it unkeyed.
    pub secret: Option<Secret>,
    /// The headers that name a conversation; the first one that is there counts.
    pub conversation_headers: Vec<String>,
}

/// The name of a session, in lower case, beginning with its agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionKey {
    key: String,
    continuity: Continuity,
}

impl SessionKey {
    /// Returns a key that no other request has.
    #[must_use]
    pub fn fresh(agent: &AgentId, id: Uuid) -> Self {
        Self {
            key: format!("agent:{agent}:openai:{id}"),
            continuity: Continuity::Fresh,
        }
    }

    /// Returns the key of a caller's user, the same for every request.
    ///
    /// The 64 hexadecimal digits are SHA-256, or HMAC-SHA-256 under `secret`,
    /// of the domain tag followed by caller, agent and user, each after its
    /// length in bytes as eight bytes, big end first.
    #[must_use]
    pub fn of_user(caller: &Caller, agent: &AgentId, user: &str, secret: Option<&Secret>) -> Self {
        let digest = digest(&[caller.name(), agent.as_str(), user], secret);
        Self::continued(agent, "openai-user:", &digest)
    }

    /// Returns the key of one of a user's conversations, which the client named
    /// in a header. The digits are made like those of a user, with the
    /// conversation as a fourth part.
    #[must_use]
    pub fn of_conversation(
        caller: &Caller,
        agent: &AgentId,
        user: &str,
        conversation: &str,
        secret: Option<&Secret>,
    ) -> Self {
        let digest = digest(&[caller.name(), agent.as_str(), user, conversation], secret);
        Self::continued(agent, "openai-chat:", &digest)
    }

    /// Puts a named session where no other caller can name it. The digits are
    /// made like those of a user, with the name as a fourth and the word
    /// `named` as a fifth part.
    fn below(self, caller: &Caller, agent: &AgentId, secret: Option<&Secret>) -> Self {
        let parts = [caller.name(), agent.as_str(), "", &self.key, "named"];
        Self::continued(agent, "openai-named:", &digest(&parts, secret))
    }

    fn continued(agent: &AgentId, namespace: &str, name: &str) -> Self {
        Self {
            key: format!("agent:{agent}:{namespace}{name}"),
            continuity: Continuity::Continued,
        }
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
            return Err(refuse(
                "`x-openclaw-session-key` is longer than 4096 bytes.",
            ));
        }
        let malformed =
            || refuse("`x-openclaw-session-key` must be a name or `agent:<agentId>:<name>`.");
        let name = match key.strip_prefix("agent:") {
            None if key.is_empty() => return Err(malformed()),
            None => key.as_str(),
            Some(rest) => match rest.split_once(':') {
                Some((id, name)) if id == agent.as_str() && !name.is_empty() => name,
                Some((id, name)) if AgentId::parse(id).is_some() && !name.is_empty() => {
                    return Err(refuse(
                        "`x-openclaw-session-key` names a session of another agent than the request.",
                    ));
                }
                _ => return Err(malformed()),
            },
        };
        // OpenClaw passes over both, and this check would not see the namespace
        // behind them.
        if name.starts_with(|c: char| c == ':' || c.is_whitespace()) {
            return Err(refuse(
                "The name in `x-openclaw-session-key` must not begin with a colon or a space.",
            ));
        }
        if RESERVED.iter().any(|namespace| name.starts_with(namespace)) {
            return Err(refuse(
                "`x-openclaw-session-key` cannot use reserved internal session namespaces.",
            ));
        }
        Ok(Self::continued(agent, "", name))
    }

    /// Tells whether the session can have a past.
    #[must_use]
    pub fn continuity(&self) -> Continuity {
        self.continuity
    }

    /// Returns a short digest that tells sessions apart in a log without
    /// telling which they are.
    #[must_use]
    pub fn digest(&self) -> String {
        hex::short(self.key.as_bytes())
    }
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)
    }
}

/// Chooses the session of a request: the one that the header names, else the
/// conversation that another header names, else that of the user, else a fresh
/// one.
///
/// # Errors
/// Those of [`SessionKey::named`].
pub fn select(
    headers: &Headers,
    user: Option<&str>,
    caller: &Caller,
    agent: &AgentId,
    rules: &SessionRules,
    fresh: Uuid,
) -> Result<SessionKey, Rejection> {
    let secret = rules.secret.as_ref();
    if let Some(key) = headers.text(SESSION_HEADER) {
        let named = SessionKey::named(agent, key)?;
        return Ok(if caller.is_tenant() {
            named.below(caller, agent, secret)
        } else {
            named
        });
    }
    let user = user.map(str::trim).filter(|user| !user.is_empty());
    let mut names = rules.conversation_headers.iter();
    let conversation = names.find_map(|name| headers.text(name));
    Ok(match (conversation, user) {
        (Some(conversation), user) => {
            let user = user.unwrap_or_default();
            SessionKey::of_conversation(caller, agent, user, conversation, secret)
        }
        (None, Some(user)) => SessionKey::of_user(caller, agent, user, secret),
        (None, None) => SessionKey::fresh(agent, fresh),
    })
}

fn digest(parts: &[&str], secret: Option<&Secret>) -> String {
    let message = derivation(parts);
    hex::lower(&match secret {
        None => Sha256::digest(&message).into(),
        Some(secret) => keyed_digest(secret, &message),
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
        let secret = Secret::new("pepper");
        let keyed = SessionKey::of_user(&caller, &agent("main"), "alice", Some(&secret));
        assert_eq!(
            keyed.to_string(),
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
            let named = SessionKey::named(&main, header).map(|key| key.to_string());
            assert_eq!(named.as_deref(), Ok(key), "{header}");
        }
    }

    #[test]
    fn reserved_foreign_and_malformed_session_keys_are_refused() {
        let long = "k".repeat(HEADER_KEY_LIMIT + 1);
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

    #[test]
    fn the_header_goes_before_the_user_and_a_blank_one_does_not_count() {
        let (caller, main) = (Caller::for_test("owner"), agent("main"));
        let rules = SessionRules {
            secret: None,
            conversation_headers: vec!["x-chat".to_owned()],
        };
        let choose = |header: &'static str, user| {
            let headers = Headers::from([(SESSION_HEADER, header)]);
            let key = select(&headers, user, &caller, &main, &rules, Uuid::nil());
            key.unwrap().to_string()
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

    #[test]
    fn a_conversation_that_a_header_names_is_one_of_its_users() {
        let (caller, main) = (Caller::for_test("owner"), agent("main"));
        let rules = SessionRules {
            secret: None,
            conversation_headers: vec!["x-a".to_owned(), "x-b".to_owned()],
        };
        let choose = |header, value: &'static str, user| {
            let headers = Headers::from([(header, value)]);
            select(&headers, user, &caller, &main, &rules, Uuid::nil()).unwrap()
        };
        let first = choose("X-A", "1", None);
        assert!(first.to_string().starts_with("agent:main:openai-chat:"));
        assert_eq!(first.continuity(), Continuity::Continued);
        assert_eq!(choose("x-b", " 1 ", None), first);
        assert_ne!(choose("x-a", "2", None), first);
        assert_ne!(choose("x-a", "1", Some("alice")), first);
        assert_eq!(choose("x-c", "1", None).continuity(), Continuity::Fresh);
        assert_eq!(
            choose("x-a", " ", Some("alice")),
            choose("x-c", "", Some("alice"))
        );
    }

    proptest! {
        #[test]
        fn any_header_names_a_session_of_the_agent_or_is_refused(
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
                    // A key that was told is accepted again.
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
