//! Credentials as digests, which is all that is kept of them.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tidegate_config::Secret;

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

    pub(super) fn of_bytes(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// Tells whether both are the same, in a time that does not depend on where
    /// they differ.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}
