//! Who calls: what a request brings against the configured credentials.
//!
//! A [`Caller`] is made here and nowhere else, so whoever holds one has been
//! authenticated. Secrets are kept and compared as SHA-256 digests, in constant
//! time.
//!
//! Rules: RFC 6750, section 2.1, read as OpenClaw's endpoint reads it.

mod caller;
mod digest;
mod scopes;
mod users;

use crate::cors::Page;
use crate::headers::Headers;
use crate::key::Keys;
use crate::proxies::Sender;
use crate::rejection::Rejection;

pub use caller::{Caller, Rights};
pub use digest::SecretDigest;
pub use scopes::{SCOPES_HEADER, Scope, Scopes};
pub use users::{Loopback, ProxyUsers};

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
    /// By the word of a proxy.
    Proxy(ProxyUsers),
    /// Not at all.
    None,
}

/// What a request brings to prove who sent it.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// Its headers.
    pub headers: &'a Headers,
    /// Where it came from.
    pub sender: Sender,
    /// The web page that sent it, if one did.
    pub page: Page,
}

/// Why nobody is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// There is no credential.
    Missing,
    /// The credential is a wrong one.
    Wrong,
    /// The key has expired.
    Expired,
}

impl From<Denied> for Rejection {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Missing | Denied::Wrong => Self::Unauthorized,
            Denied::Expired => Self::KeyExpired,
        }
    }
}

impl Auth {
    /// Authenticates the sender of a request at a time, in seconds since 1970.
    ///
    /// A browser lets any web page send requests to machines that only its user
    /// can reach, so where a request alone is enough, it must not come from a
    /// foreign page.
    ///
    /// # Errors
    /// Missing and wrong credentials, and a key that has expired.
    pub fn authenticate(&self, presented: &Presented<'_>, now: u64) -> Result<Caller, Denied> {
        let headers = presented.headers;
        match self {
            Self::None | Self::Proxy(_) if presented.page == Page::Foreign => Err(Denied::Missing),
            Self::None => Ok(Caller::anyone(Scopes::read(headers))),
            Self::Proxy(users) => {
                let user = users.identify(headers, &presented.sender);
                let user = user.ok_or(Denied::Missing)?;
                Ok(Caller::user(user, Scopes::read(headers)))
            }
            Self::Credentials { shared, keys } => {
                by_credential(headers, shared.as_ref(), keys, now)
            }
        }
    }
}

fn by_credential(
    headers: &Headers,
    shared: Option<&SecretDigest>,
    keys: &Keys,
    now: u64,
) -> Result<Caller, Denied> {
    let presented = bearer(headers).ok_or(Denied::Missing)?;
    let presented = SecretDigest::of_bytes(presented);
    if shared.is_some_and(|shared| shared.is(&presented)) {
        return Ok(Caller::owner());
    }
    let key = keys.find(&presented).ok_or(Denied::Wrong)?;
    if key.expires.is_some_and(|expires| expires <= now) {
        return Err(Denied::Expired);
    }
    Ok(Caller::with_key(key))
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
mod tests;
