//! Encryption of values in the store.
//!
//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) has nonces of 24 bytes, which may be random:
//! instances need not agree on them. The key of the value in the store is authenticated, too,
//! so a value is not accepted in the place of another one.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::run::SessionSecret;

/// The domain of the key. The `1` is the version of the format.
const DOMAIN: &[u8] = b"tidegate/run-log-cipher/1";

/// The length of a nonce, in bytes.
pub const NONCE_LENGTH: usize = 24;

/// Encrypts and decrypts values.
#[derive(Clone)]
pub struct Cipher(XChaCha20Poly1305);

impl Cipher {
    /// Derives the key from `tidegate.session.secret`.
    #[must_use]
    pub fn new(secret: &SessionSecret) -> Self {
        Self(XChaCha20Poly1305::new(&secret.digest(DOMAIN, &[]).into()))
    }

    /// Encrypts the value of a key. A nonce must be random.
    #[must_use]
    pub fn seal(&self, key: &str, value: &[u8], nonce: [u8; NONCE_LENGTH]) -> Option<Vec<u8>> {
        let payload = Payload {
            msg: value,
            aad: key.as_bytes(),
        };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// Decrypts the value of a key. Returns `None` for a value of another key or of another
    /// secret, and for a value that was changed.
    #[must_use]
    pub fn open(&self, key: &str, value: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = value.split_first_chunk::<NONCE_LENGTH>()?;
        let payload = Payload {
            msg: sealed,
            aad: key.as_bytes(),
        };
        self.0.decrypt(&XNonce::from(*nonce), payload).ok()
    }
}

#[cfg(test)]
mod tests {
    use tidegate_config::Secret;

    use super::*;

    fn cipher(secret: &str) -> Cipher {
        Cipher::new(&SessionSecret::new(&Secret::new(secret)).unwrap())
    }

    #[test]
    fn only_the_secret_and_the_key_open_a_value() {
        let sealed = cipher("pepper").seal("a/0", b"hello", [7; 24]).unwrap();
        assert!(!sealed.windows(5).any(|text| text == b"hello"));
        assert_eq!(cipher("pepper").open("a/0", &sealed).unwrap(), b"hello");
        assert_eq!(cipher("salt").open("a/0", &sealed), None);
        assert_eq!(cipher("pepper").open("a/1", &sealed), None);
        assert_eq!(cipher("pepper").open("a/0", b""), None);
    }

    #[test]
    fn a_changed_value_is_not_accepted() {
        let sealed = cipher("pepper").seal("a/0", b"hello", [7; 24]).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(cipher("pepper").open("a/0", &changed), None, "{at}");
            assert_eq!(cipher("pepper").open("a/0", &sealed[..at]), None, "{at}");
        }
    }
}
