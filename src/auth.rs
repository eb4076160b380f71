//! Who calls: the `Authorization` header against the configured credentials.
//!
//! A [`Caller`] is made here and nowhere else, so whoever holds one has been
//! authenticated. Secrets are kept and compared as SHA-256 digests, in constant
//! time.
//!
//! Rules: RFC 6750, section 2.1, read as OpenClaw's endpoint reads it.

use std::borrow::Cow;
use std::rc::Rc;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tidegate_config::Secret;

use crate::headers::Headers;
use crate::key::{Key, Keys};
use crate::rejection::Rejection;

/// How callers prove who they are.
#[derive(Clone)]
pub enum Auth {
    /// By the gateway's one token or password, if there is one, or by a key.
    Credentials {
        /// The digest of the token or password.
        shared: Option<SecretDigest>,
        /// The keys.
        keys: Keys,
    },
    /// Not at all.
    None,
}

/// The SHA-256 digest of a credential.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// Hashes a credential.
    #[must_use]
    pub fn of(secret: &Secret) -> Self {
        Self::of_bytes(secret.expose().as_bytes())
    }

    /// Takes a digest that was made elsewhere.
    #[must_use]
    pub fn from_bytes(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    fn of_bytes(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// Tells whether both are the same, in a time that does not depend on where
    /// they differ.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// Somebody who may use the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    name: Cow<'static, str>,
    rights: Rights,
}

/// What a caller may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rights {
    /// Everything.
    All,
    /// What the caller's key allows.
    Scoped(Rc<Key>),
}

impl Caller {
    const fn named(name: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            rights: Rights::All,
        }
    }

    fn with_key(key: Rc<Key>) -> Self {
        Self {
            name: Cow::Owned(format!("key:{}", key.name)),
            rights: Rights::Scoped(key),
        }
    }

    /// Returns the name under which the caller's sessions are kept apart from
    /// those of others. It does not change with the credential.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what the caller may do.
    #[must_use]
    pub fn rights(&self) -> &Rights {
        &self.rights
    }

    #[cfg(test)]
    pub(crate) fn for_test(name: &str) -> Self {
        Self {
            name: Cow::Owned(name.to_owned()),
            rights: Rights::All,
        }
    }

    #[cfg(test)]
    pub(crate) fn for_test_with(key: Key) -> Self {
        Self::with_key(Rc::new(key))
    }
}

impl Auth {
    /// Authenticates the sender of a request at a time, in seconds since 1970.
    ///
    /// # Errors
    /// Missing and wrong credentials, with the same answer, and a key that has
    /// expired.
    pub fn authenticate(&self, headers: &Headers, now: u64) -> Result<Caller, Rejection> {
        let (shared, keys) = match self {
            Self::None => return Ok(Caller::named("anyone")),
            Self::Credentials { shared, keys } => (shared, keys),
        };
        let presented = bearer(headers).ok_or(Rejection::Unauthorized)?;
        let presented = SecretDigest::of_bytes(presented);
        if shared.as_ref().is_some_and(|shared| shared.is(&presented)) {
            return Ok(Caller::named("owner"));
        }
        let key = keys.find(&presented).ok_or(Rejection::Unauthorized)?;
        if key.expires.is_some_and(|expires| expires <= now) {
            return Err(Rejection::KeyExpired);
        }
        Ok(Caller::with_key(key))
    }
}

/// Returns the credential of the first `Authorization` header: what follows
/// `Bearer` in any case and one space, trimmed and not empty.
fn bearer(headers: &Headers) -> Option<&[u8]> {
    const SCHEME: &[u8] = b"bearer ";
    let value = headers.first("authorization")?.trim_ascii();
    let (scheme, credential) = value.split_at_checked(SCHEME.len())?;
    let credential = credential.trim_ascii();
    (scheme.eq_ignore_ascii_case(SCHEME) && !credential.is_empty()).then_some(credential)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auth(keys: Vec<(SecretDigest, Key)>) -> Auth {
        Auth::Credentials {
            shared: Some(SecretDigest::of(&Secret::new("s3cret"))),
            keys: Keys::new(keys),
        }
    }

    fn authenticate(values: &[&'static [u8]]) -> Result<Caller, Rejection> {
        let field = |value: &&[u8]| ("Authorization".to_owned(), value.to_vec());
        let headers = Headers::new(values.iter().map(field).collect());
        auth(Vec::new()).authenticate(&headers, 0)
    }

    #[test]
    fn the_right_token_passes_in_every_spelling_of_the_scheme() {
        for value in [
            &b"Bearer s3cret"[..],
            b"bearer s3cret",
            b"BEARER s3cret",
            b"  Bearer   s3cret  ",
            b"Bearer \ts3cret",
        ] {
            assert!(authenticate(&[value]).is_ok(), "{}", value.escape_ascii());
        }
    }

    #[test]
    fn anything_else_does_not_pass() {
        for value in [
            &b""[..],
            b"Bearer",
            b"Bearer ",
            b"Bearer    ",
            b"Bearer\ts3cret",
            b"Bearers3cret",
            b"s3cret",
            b"Basic s3cret",
            b"Basic czNjcmV0",
            b"Bearer s3cre",
            b"Bearer s3crett",
            b"Bearer S3cret",
            b"Bearer s3cret, Bearer s3cret",
            b"Bearer \"s3cret\"",
            b"Bearer s3cret\xff",
        ] {
            let refused = authenticate(&[value]);
            assert_eq!(
                refused,
                Err(Rejection::Unauthorized),
                "{}",
                value.escape_ascii()
            );
        }
        assert_eq!(authenticate(&[]), Err(Rejection::Unauthorized));
    }

    #[test]
    fn only_the_first_header_counts() {
        assert!(authenticate(&[b"Bearer s3cret", b"Bearer wrong"]).is_ok());
        assert!(authenticate(&[b"Bearer wrong", b"Bearer s3cret"]).is_err());
    }

    #[test]
    fn without_authentication_everyone_passes() {
        assert!(Auth::None.authenticate(&Headers::default(), 0).is_ok());
    }

    #[test]
    fn a_key_names_its_caller_until_it_expires() {
        let digest = SecretDigest::of(&Secret::new("tg_1"));
        let key = Key {
            expires: Some(100),
            ..Key::for_test("web")
        };
        let auth = auth(vec![(digest, key)]);
        let at = |token, now| {
            let token = format!("Bearer {token}");
            let headers = Headers::from([("authorization", token.as_str())]);
            auth.authenticate(&headers, now)
                .map(|caller| caller.name().to_owned())
        };
        assert_eq!(at("tg_1", 99).as_deref(), Ok("key:web"));
        assert_eq!(at("tg_1", 100), Err(Rejection::KeyExpired));
        assert_eq!(at("tg_2", 0), Err(Rejection::Unauthorized));
        assert_eq!(at("s3cret", 1000).as_deref(), Ok("owner"));
    }
}
