//! The ids of responses, which lead back to their session.
//!
//! ```text
//! resp_<base64url of: run (16 bytes), session key, tag (32 bytes)>
//! ```
//!
//! The tag is HMAC-SHA-256 (RFC 2104) with `tidegate.session.secret` over the caller and the
//! rest, so an id needs no store, is good at every instance with the same secret, and is
//! worthless to other callers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::access::Caller;
use crate::agents::AgentId;

use super::session_key::{SessionKey, SessionSecret, domain_message};

/// The beginning of every id.
const PREFIX: &str = "resp_";

/// The domain of the tag. The `1` is the version of the format.
const DOMAIN: &[u8] = b"tidegate/response-id/1";

/// The length of the run's id, in bytes.
const RUN: usize = 16;

/// The length of the tag, in bytes.
const TAG: usize = 32;

/// The maximum length of an id, in bytes. It exceeds that of the longest session key.
const LENGTH_LIMIT: usize = 8192;

/// Returns an id that leads nowhere.
pub(super) fn without_session(run: Uuid) -> String {
    format!("{PREFIX}{run}")
}

/// Returns an id that leads the caller back to a session.
pub(super) fn of_session(
    session: &SessionKey,
    run: Uuid,
    caller: &Caller,
    secret: &SessionSecret,
) -> String {
    let mut bytes = run.as_bytes().to_vec();
    bytes.extend(session.to_string().as_bytes());
    let tag = secret.tag(&signed(caller, &bytes));
    bytes.extend(tag);
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// Returns the run of an id, which may be of another caller or forged.
#[must_use]
pub fn run_of_response(id: &str) -> Option<Uuid> {
    let encoded = id.strip_prefix(PREFIX)?;
    if id.len() > LENGTH_LIMIT {
        return None;
    }
    if let Ok(run) = Uuid::try_parse(encoded) {
        return Some(run);
    }
    let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
    bytes.first_chunk::<RUN>().map(|run| Uuid::from_bytes(*run))
}

/// Returns the agent and session of an id that this caller got.
pub(super) fn session(
    id: &str,
    caller: &Caller,
    secret: &SessionSecret,
) -> Option<(AgentId, SessionKey)> {
    let encoded = id.strip_prefix(PREFIX)?;
    if id.len() > LENGTH_LIMIT {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
    let (content, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG)?)?;
    if !secret.verifies(&signed(caller, content), tag) {
        return None;
    }
    let (_, key) = content.split_at_checked(RUN)?;
    SessionKey::of_response(std::str::from_utf8(key).ok()?)
}

fn signed(caller: &Caller, content: &[u8]) -> Vec<u8> {
    domain_message(DOMAIN, &[caller.name().as_bytes(), content])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tidegate_config::Secret;

    use super::*;

    fn secret(text: &str) -> SessionSecret {
        SessionSecret::new(&Secret::new(text)).unwrap()
    }

    fn main_key() -> SessionKey {
        let agent = AgentId::parse("main").unwrap();
        SessionKey::of_user(&Caller::for_test("owner"), &agent, "alice", None)
    }

    fn id() -> String {
        let caller = Caller::for_test("owner");
        of_session(&main_key(), Uuid::from_u128(7), &caller, &secret("pepper"))
    }

    fn leads_back(id: &str, caller: &str, by: &str) -> Option<(String, String)> {
        let found = session(id, &Caller::for_test(caller), &secret(by));
        found.map(|(agent, key)| (agent.into_string(), key.to_string()))
    }

    #[test]
    fn an_id_leads_its_caller_back_and_is_a_path_segment() {
        let id = id();
        let expected = ("main".to_owned(), main_key().to_string());
        assert_eq!(leads_back(&id, "owner", "pepper"), Some(expected));
        assert!(
            id.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
        );
        assert!(!id.contains("alice"));
    }

    #[test]
    fn another_caller_and_another_secret_find_nothing() {
        for (caller, by) in [
            ("anyone", "pepper"),
            ("key:web", "pepper"),
            ("user:owner", "pepper"),
            ("owner", "salt"),
        ] {
            assert_eq!(leads_back(&id(), caller, by), None, "{caller} {by}");
        }
        assert_eq!(
            leads_back(&without_session(Uuid::from_u128(7)), "owner", "pepper"),
            None
        );
        for other in ["", "resp_", "resp_AAAA", "msg_1", &"resp_".repeat(9000)] {
            assert_eq!(leads_back(other, "owner", "pepper"), None);
        }
    }

    #[test]
    fn two_runs_of_a_session_have_two_ids() {
        let caller = Caller::for_test("owner");
        let of = |run| {
            of_session(
                &main_key(),
                Uuid::from_u128(run),
                &caller,
                &secret("pepper"),
            )
        };
        assert_ne!(of(1), of(2));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]
        #[test]
        fn no_mutated_id_is_taken(at in 0..200_usize, byte in 0x20..0x7f_u8, cut in 0..400_usize) {
            let mut bytes = id().into_bytes();
            let at = at % bytes.len();
            let is_same = bytes[at] == byte;
            bytes[at] = byte;
            bytes.truncate(cut.max(1));
            let mutated = String::from_utf8(bytes).unwrap();
            if !(is_same && mutated == id()) {
                prop_assert_eq!(leads_back(&mutated, "owner", "pepper"), None);
            }
        }
    }
}
