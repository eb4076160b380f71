//! The keys of a run's log in the store.
//!
//! ```text
//! tidegate-run/<digest>/0       the first piece, with the head of the reply
//! tidegate-run/<digest>/<n>     a later piece
//! tidegate-run/<digest>/end     the number of attempts to end the run; a counter
//! tidegate-run/<digest>/cancel  exists if the run is to be cancelled
//! ```
//!
//! The digest depends on the caller, so the run of another caller has no log.

use uuid::Uuid;

use crate::access::{Caller, to_hex};
use crate::run::SessionSecret;

/// The prefix of the keys of all logs.
const PREFIX: &str = "tidegate-run/";

/// The domain of the digest.
const DOMAIN: &[u8] = b"tidegate/run-log-key/1";

/// The keys of a log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LogKeys(String);

impl LogKeys {
    /// Returns the keys of a caller's run.
    #[must_use]
    pub fn of_run(caller: &Caller, run: Uuid, secret: &SessionSecret) -> Self {
        let digest = secret.digest(DOMAIN, &[caller.name().as_bytes(), run.as_bytes()]);
        Self(format!("{PREFIX}{}", to_hex(&digest)))
    }

    /// Returns the key of a piece.
    #[must_use]
    pub fn piece(&self, number: u32) -> String {
        format!("{}/{number}", self.0)
    }

    /// Returns the key of the counter of attempts to end the run. The first one does.
    #[must_use]
    pub fn end(&self) -> String {
        format!("{}/end", self.0)
    }

    /// Returns the key whose value asks for the cancellation of the run.
    #[must_use]
    pub fn cancel(&self) -> String {
        format!("{}/cancel", self.0)
    }

    /// Returns the keys that a log of one piece may have.
    #[must_use]
    pub fn all(&self) -> [String; 3] {
        [self.piece(0), self.end(), self.cancel()]
    }
}

#[cfg(test)]
mod tests {
    use tidegate_config::Secret;

    use super::*;

    #[test]
    fn the_keys_of_each_caller_run_and_secret_differ_and_reveal_nothing() {
        let keys = |caller: &str, run, secret: &str| {
            let secret = SessionSecret::new(&Secret::new(secret)).unwrap();
            LogKeys::of_run(&Caller::for_test(caller), Uuid::from_u128(run), &secret)
        };
        let all = [
            keys("owner", 1, "pepper"),
            keys("owner", 2, "pepper"),
            keys("key:web", 1, "pepper"),
            keys("owner", 1, "salt"),
        ];
        for (n, one) in all.iter().enumerate() {
            assert!(!all[..n].contains(one), "{one:?}");
            for key in one.all() {
                assert!(key.len() < 100 && !key.contains("web"), "{key}");
            }
        }
        assert_eq!(keys("owner", 1, "pepper"), all[0]);
    }
}
