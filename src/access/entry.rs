//! The keys of entries in the store.
//!
//! Entries expire. The key of an entry contains its expiry time:
//! `tidegate/<seconds since 1970>/<purpose>/<digest>`. The digest identifies an
//! address or an API key without revealing it.

use super::digest::short_digest;
use super::time::UnixMillis;

/// The prefix of the keys of entries.
const PREFIX: &str = "tidegate/";

/// The key of an entry in the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entry(String);

impl Entry {
    /// Makes the key of an entry for a purpose and a subject, such as an address.
    #[must_use]
    pub fn new(purpose: &str, subject: &[u8], expiry: UnixMillis) -> Self {
        let expiry = expiry.millis().div_ceil(1000);
        let subject = short_digest(subject);
        Self(format!("{PREFIX}{expiry}/{purpose}/{subject}"))
    }

    /// Returns the key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the expiry time, in seconds since 1970.
    fn seconds(&self) -> Option<u64> {
        let rest = self.0.strip_prefix(PREFIX)?;
        rest.split('/').next()?.parse().ok()
    }

    /// Returns the expiry time.
    #[must_use]
    pub fn expiry(&self) -> UnixMillis {
        UnixMillis::new(self.seconds().unwrap_or_default().saturating_mul(1000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_contains_its_expiry_and_hides_its_subject() {
        let entry = Entry::new("auth", b"203.0.113.9", UnixMillis::new(1_500));
        let key = entry.as_str();
        assert!(key.starts_with("tidegate/2/auth/"), "{key}");
        assert!(!key.contains("203"), "{key}");
        assert_eq!(entry.expiry(), UnixMillis::new(2_000));
    }
}
