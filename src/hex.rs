//! Digests as text.

use sha2::{Digest as _, Sha256};

/// Returns a digest as 64 lower-case hexadecimal digits.
#[must_use]
pub fn lower(digest: &[u8; 32]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
    let digits = |byte: &u8| [digit(byte >> 4), digit(byte & 0xf)];
    digest.iter().flat_map(digits).collect()
}

/// Returns a short digest of something, by which a log tells it from others
/// without telling what it is: the first 12 digits of its SHA-256.
#[must_use]
pub fn short(bytes: &[u8]) -> String {
    let mut digest = lower(&Sha256::digest(bytes).into());
    digest.truncate(12);
    digest
}

/// Reads 64 hexadecimal digits in any case; none for anything else.
#[must_use]
pub fn parse(text: &str) -> Option<[u8; 32]> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_two_digits() {
        let mut digest = [0; 32];
        digest[0] = 0x0a;
        digest[31] = 0xff;
        assert_eq!(lower(&digest), format!("0a{}ff", "0".repeat(60)));
        assert_eq!(parse(&lower(&digest)), Some(digest));
        assert_eq!(parse(&lower(&digest).to_uppercase()), Some(digest));
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
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
