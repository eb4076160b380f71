//! The ids of tool calls, as clients of the Responses API accept them.
//!
//! A client sends the id of a call back with its output, so a replaced id leads back to the
//! runtime's own one.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// The maximum length of an id, in bytes.
const LENGTH_LIMIT: usize = 64;

/// The beginning of an id that contains the runtime's own one.
const ENCODED: &str = "callx_";

/// The beginning of an id that is a hash of the runtime's own one.
const HASHED: &str = "callh_";

/// Returns an id of the form `[A-Za-z0-9_-]{1,64}` for a runtime's id.
///
/// An id of that form stays unchanged. Another one is encoded, and one of more than 43 bytes
/// is hashed: it still connects a call with its output, but does not lead back.
#[must_use]
pub fn client_call_id(id: &str) -> Cow<'_, str> {
    if is_plain(id) && !id.starts_with(ENCODED) {
        return Cow::Borrowed(id);
    }
    let encoded = format!("{ENCODED}{}", URL_SAFE_NO_PAD.encode(id));
    if encoded.len() <= LENGTH_LIMIT {
        return Cow::Owned(encoded);
    }
    let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(id));
    Cow::Owned(format!("{HASHED}{digest}"))
}

/// Returns the runtime's id for an id that a client sends.
pub(super) fn runtime_call_id(id: String) -> String {
    let decoded = id.strip_prefix(ENCODED).and_then(|encoded| {
        let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
        String::from_utf8(bytes).ok()
    });
    // Only what the gateway itself has encoded leads back.
    match decoded {
        Some(own) if client_call_id(&own) == id => own,
        Some(_) | None => id,
    }
}

fn is_plain(id: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=LENGTH_LIMIT).contains(&id.len()) && id.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plain_id_stays_unchanged() {
        for id in ["call_1", "A-b_9", &"x".repeat(64), "callh_1"] {
            assert_eq!(client_call_id(id), id);
            assert_eq!(runtime_call_id(id.to_owned()), id);
        }
    }

    #[test]
    fn an_id_that_the_gateway_did_not_encode_is_the_clients_own() {
        for id in ["callx_!", "callx_YQ==", "callx_YQ", "callx__w"] {
            assert_eq!(runtime_call_id(id.to_owned()), id);
        }
    }

    proptest! {
        #[test]
        fn every_id_is_accepted_by_clients_and_leads_back(id: String) {
            let sent = client_call_id(&id);
            prop_assert!(is_plain(&sent), "{}", sent);
            if id.len() <= 43 {
                prop_assert_eq!(runtime_call_id(sent.into_owned()), id);
            }
        }
    }
}
