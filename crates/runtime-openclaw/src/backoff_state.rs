//! The backoff state of all backends, which instances share through the store.
//!
//! It is one value of the store. An instance reads it when it starts and writes it after
//! every change. The last write wins; lost changes are discovered again.

use std::time::Duration;

use crate::availability::Moment;
use crate::pool::Pool;

/// The size of the entry of a backend, in bytes: its digest, the end of its backoff in
/// milliseconds since 1970, and the length of the backoff in milliseconds.
const SIZE: usize = 24;

impl Pool {
    /// Encodes the backoff state. `now` is the time of this instance's clock, and `time`
    /// the time since 1970.
    #[must_use]
    pub fn backoff_state(&self, now: Moment, time: Duration) -> Vec<u8> {
        let mut bytes = Vec::new();
        for member in self.members() {
            if let Some((until, wait)) = member.availability.backoff() {
                let until = time.saturating_add(until.saturating_sub(now));
                for number in [member.backend.number(), millis(until), millis(wait)] {
                    bytes.extend_from_slice(&number.to_le_bytes());
                }
            }
        }
        bytes
    }

    /// Skips the backends of the pool that another instance skips.
    pub fn learn(&self, bytes: &[u8], now: Moment, time: Duration) {
        for entry in bytes.chunks_exact(SIZE) {
            let (digest, times) = entry.split_at(SIZE / 3);
            let (until, wait) = times.split_at(SIZE / 3);
            let digest = number(digest);
            for member in self.members() {
                if member.backend.number() == digest {
                    let left = Duration::from_millis(number(until)).saturating_sub(time);
                    let wait = Duration::from_millis(number(wait));
                    member.availability.skip(now, left, wait);
                }
            }
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Decodes eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Backend;
    use crate::endpoint::Endpoint;

    const TIME: Duration = Duration::from_secs(1_800_000_000);

    fn pool(urls: &[&str]) -> Pool {
        let backend = |url: &&str| Backend::new(Endpoint::parse(url).unwrap(), 1, None);
        Pool::new(urls.iter().map(backend).collect())
    }

    fn open_at(pool: &Pool, now: Moment) -> Vec<bool> {
        let members = pool.members().iter();
        members
            .map(|member| member.availability.is_open(now))
            .collect()
    }

    #[test]
    fn another_instance_skips_the_same_backends_for_the_same_time() {
        let (now, second) = (Duration::from_secs(100), Duration::from_secs(1));
        let one = pool(&["http://a", "http://b", "http://c"]);
        let b = &one.members()[1].availability;
        b.skip(now, 3 * second, 4 * second);
        let state = one.backoff_state(now, TIME);
        // The clock of the other instance began at another time, and its list has another order.
        let (other, later) = (pool(&["http://b", "http://c", "http://d"]), 7 * second);
        other.learn(&state, later, TIME + second);
        assert_eq!(open_at(&other, later), [false, true, true]);
        assert_eq!(open_at(&other, later + 2 * second), [true; 3]);
        let b = &other.members()[0].availability;
        let attempt = b.attempt(later + 2 * second, second);
        assert_eq!(b.refused(attempt, later + 2 * second), Some(8 * second));
    }

    #[test]
    fn the_state_of_reachable_backends_is_empty() {
        let pool = pool(&["http://a", "http://b"]);
        assert_eq!(pool.backoff_state(Duration::ZERO, TIME), [0; 0]);
    }

    #[test]
    fn an_invalid_state_is_ignored() {
        let pool = pool(&["http://a", "http://b"]);
        for bytes in [&b""[..], b"x", &[0; 23], &[0xff; 24], &[0; 100]] {
            pool.learn(bytes, Duration::ZERO, TIME);
            assert_eq!(open_at(&pool, Duration::ZERO), [true; 2]);
        }
    }
}
