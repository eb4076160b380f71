//! Digests as text.

/// Returns a digest as 64 lower-case hexadecimal digits.
#[must_use]
pub fn lower(digest: &[u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
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
    }
}
