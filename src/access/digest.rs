//! SHA-256 digests: of credentials, and as hexadecimal text.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tidegate_config::Secret;

/// The SHA-256 digest of a credential. The gateway keeps no credential itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// Hashes a configured secret without the white space around it, which a credential of a
    /// client cannot have. A mounted secret often ends with a line break.
    #[must_use]
    pub fn of(secret: &Secret) -> Self {
        Self::of_bytes(secret.expose().as_bytes().trim_ascii())
    }

    /// Takes the bytes of a digest.
    #[must_use]
    pub fn from_bytes(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    pub(super) fn of_bytes(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// Compares two digests in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// Encodes a digest as 64 lower-case hexadecimal digits.
#[must_use]
pub fn to_hex(digest: &[u8; 32]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
    let digits = |byte: &u8| [digit(byte >> 4), digit(byte & 0xf)];
    digest.iter().flat_map(digits).collect()
}

/// Decodes 64 hexadecimal digits of either case. Returns `None` for other text.
#[must_use]
pub fn parse_hex(text: &str) -> Option<[u8; 32]> {
    let pairs = text.as_bytes().as_chunks::<2>();
    let (pairs, []) = pairs else {
        return None;
    };
    let pairs: &[[u8; 2]; 32] = pairs.try_into().ok()?;
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut digest = [0; 32];
    for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
        *byte = u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?;
    }
    Some(digest)
}

/// Returns the first 12 hexadecimal digits of a SHA-256 digest. Logs and the store
/// use it to distinguish values without revealing them.
#[must_use]
pub fn short_digest(bytes: &[u8]) -> String {
    let mut digest = to_hex(&Sha256::digest(bytes).into());
    digest.truncate(12);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_two_digits() {
        let mut digest = [0; 32];
        digest[0] = 0x0a;
        digest[31] = 0xff;
        assert_eq!(to_hex(&digest), format!("0a{}ff", "0".repeat(60)));
        assert_eq!(parse_hex(&to_hex(&digest)), Some(digest));
        assert_eq!(parse_hex(&to_hex(&digest).to_uppercase()), Some(digest));
    }

    #[test]
    fn only_64_digits_are_a_digest() {
        for text in [
            "",
            "0",
            &"0".repeat(63),
            &"0".repeat(65),
            &"g".repeat(64),
            &"é".repeat(32),
        ] {
            assert_eq!(parse_hex(text), None, "{text}");
        }
    }
}
