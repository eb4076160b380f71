//! Who calls: the `Authorization` header against the configured credentials.
//!
//! A [`Caller`] is made here and nowhere else, so whoever holds one has been
//! authenticated. Secrets are kept and compared as SHA-256 digests, in constant
//! time.
//!
//! Rules: RFC 6750, section 2.1, read as OpenClaw's endpoint reads it.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tidegate_config::Secret;

use crate::headers::Headers;
use crate::rejection::Rejection;

/// How callers prove who they are.
#[derive(Clone)]
pub enum Auth {
    /// By the gateway's one token or password.
    Shared(SecretDigest),
    /// Not at all.
    None,
}

/// The SHA-256 digest of a credential.
#[derive(Clone)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// Hashes a credential.
    #[must_use]
    pub fn of(secret: &Secret) -> Self {
        Self(Sha256::digest(secret.expose().as_bytes()).into())
    }

    /// Tells whether `presented` is the credential, in a time that depends on
    /// the length of `presented` alone.
    fn is(&self, presented: &[u8]) -> bool {
        let presented: [u8; 32] = Sha256::digest(presented).into();
        self.0.ct_eq(&presented).into()
    }
}

/// Somebody who may use the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    name: Cow<'static, str>,
}

impl Caller {
    const fn named(name: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
        }
    }

    /// Returns the name under which the caller's sessions are kept apart from
    /// those of others. It does not change with the credential.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[cfg(test)]
    pub(crate) fn for_test(name: &str) -> Self {
        let name = Cow::Owned(name.to_owned());
        Self { name }
    }
}

impl Auth {
    /// Authenticates the sender of a request.
    ///
    /// # Errors
    /// Missing and wrong credentials, with the same answer.
    pub fn authenticate(&self, headers: &Headers) -> Result<Caller, Rejection> {
        match self {
            Self::None => Ok(Caller::named("anyone")),
            Self::Shared(digest) => {
                let presented = bearer(headers).ok_or(Rejection::Unauthorized)?;
                if digest.is(presented) {
                    Ok(Caller::named("owner"))
                } else {
                    Err(Rejection::Unauthorized)
                }
            }
        }
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

    fn authenticate(values: &[&'static [u8]]) -> Result<Caller, Rejection> {
        let field = |value: &&[u8]| ("Authorization".to_owned(), value.to_vec());
        let headers = Headers::new(values.iter().map(field).collect());
        Auth::Shared(SecretDigest::of(&Secret::new("s3cret"))).authenticate(&headers)
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
        assert!(Auth::None.authenticate(&Headers::default()).is_ok());
    }
}
