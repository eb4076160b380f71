//! Authentication: credentials of a request against the configured ones.
//!
//! Only this module makes a [`Caller`], so a `Caller` proves that authentication
//! took place. The gateway keeps and compares SHA-256 digests of secrets.
//!
//! Source: RFC 6750, section 2.1, with OpenClaw's tolerance for white space.

use crate::inbound::{ClientAddress, Headers, Origin};
use crate::rejection::Rejection;

use super::caller::Caller;
use super::digest::SecretDigest;
use super::key::Keys;
use super::scopes::Scopes;
use super::time::UnixMillis;
use super::users::ProxyUsers;

/// The header with the credential.
pub const AUTHORIZATION: &str = "authorization";

/// How clients authenticate.
#[derive(Clone)]
pub enum Auth {
    /// With the gateway's token or password, or with an API key.
    Credentials {
        /// The digest of the token or password, if one is configured.
        shared: Option<SecretDigest>,
        /// The API keys.
        keys: Keys,
    },
    /// A trusted proxy authenticates users.
    Proxy(ProxyUsers),
    /// There is no authentication.
    None,
}

/// The parts of a request that authentication needs.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// The headers.
    pub headers: &'a Headers,
    /// The address of the client and its proxy.
    pub address: ClientAddress,
    /// The origin of the web page that sent the request.
    pub origin: Origin,
}

/// Why authentication failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The request has no credential.
    Missing,
    /// The request has several `Authorization` headers.
    Several,
    /// The credential is wrong.
    Wrong,
    /// The API key has expired.
    Expired,
}

impl From<Denied> for Rejection {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Missing | Denied::Wrong => Self::Unauthorized,
            Denied::Several => Self::invalid(
                "authorization",
                "The request has several `Authorization` headers. Send one.",
            ),
            Denied::Expired => Self::KeyExpired,
        }
    }
}

impl Auth {
    /// Authenticates a request.
    ///
    /// Without a credential, a request from a foreign origin is denied: a browser
    /// lets every web page send requests to machines that only its user can reach.
    ///
    /// # Errors
    /// A missing or wrong credential, and an expired API key.
    pub fn authenticate(
        &self,
        credentials: &Credentials<'_>,
        now: UnixMillis,
    ) -> Result<Caller, Denied> {
        let headers = credentials.headers;
        match self {
            Self::None | Self::Proxy(_) if credentials.origin == Origin::Foreign => {
                Err(Denied::Missing)
            }
            // The proxy of another mode does not forward requests for foreign names.
            Self::None if credentials.origin == Origin::Unknown => Err(Denied::Missing),
            Self::None => Ok(Caller::anyone(Scopes::read(headers))),
            Self::Proxy(users) => {
                let user = users.identify(headers, &credentials.address);
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
    now: UnixMillis,
) -> Result<Caller, Denied> {
    if headers.all(AUTHORIZATION).nth(1).is_some() {
        return Err(Denied::Several);
    }
    let credential = bearer(headers).ok_or(Denied::Missing)?;
    let digest = SecretDigest::of_bytes(credential);
    if shared.is_some_and(|shared| shared.matches(&digest)) {
        return Ok(Caller::owner());
    }
    let key = keys.find(&digest).ok_or(Denied::Wrong)?;
    if key.expires.is_some_and(|expiry| expiry <= now) {
        return Err(Denied::Expired);
    }
    Ok(Caller::with_key(key))
}

/// Returns the credential of the `Authorization` header: the trimmed text after the
/// scheme `Bearer`, which is case-insensitive.
fn bearer(headers: &Headers) -> Option<&[u8]> {
    const SCHEME: &[u8] = b"bearer ";
    let value = headers.first(AUTHORIZATION)?.trim_ascii();
    let (scheme, rest) = value.split_at_checked(SCHEME.len())?;
    let credential = rest.trim_ascii();
    (scheme.eq_ignore_ascii_case(SCHEME) && !credential.is_empty()).then_some(credential)
}
