//! Which servers are passed over, as instances tell it to one another.
//!
//! All of them are one value of a store, which an instance reads when it starts
//! and writes whenever it learns something. The last one to write is believed:
//! what it did not know is found out again.

use std::time::Duration;

use crate::availability::Moment;
use crate::pool::Pool;

/// The size of what is written of a server: its digest, until when it is passed
/// over in milliseconds since 1970, and how long that was in all.
const SIZE: usize = 24;

impl Pool {
    /// Writes down which servers are passed over. It is `now` on the clock of
    /// this instance, and `time` since 1970.
    #[must_use]
    pub fn absences(&self, now: Moment, time: Duration) -> Vec<u8> {
        let mut bytes = Vec::new();
        for member in self.members() {
            if let Some((until, wait)) = member.availability.absence() {
                let until = time.saturating_add(until.saturating_sub(now));
                for number in [member.server.number(), millis(until), millis(wait)] {
                    bytes.extend_from_slice(&number.to_le_bytes());
                }
            }
        }
        bytes
    }

    /// Passes over the servers that another instance has written down, as far as
    /// they are in the pool.
    pub fn learn(&self, bytes: &[u8], now: Moment, time: Duration) {
        for absence in bytes.chunks_exact(SIZE) {
            let (digest, times) = absence.split_at(SIZE / 3);
            let (until, wait) = times.split_at(SIZE / 3);
            let digest = number(digest);
            for member in self.members() {
                if member.server.number() == digest {
                    let left = Duration::from_millis(number(until)).saturating_sub(time);
                    let wait = Duration::from_millis(number(wait));
                    member.availability.pass_over(now, left, wait);
                }
            }
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Reads eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Endpoint;
    use crate::server::Server;

    const TIME: Duration = Duration::from_secs(1_800_000_000);

    fn pool(urls: &[&str]) -> Pool {
        let server = |url: &&str| Server::new(Endpoint::parse(url).unwrap(), 1, None);
        Pool::new(urls.iter().map(server).collect())
    }

    fn open_at(pool: &Pool, now: Moment) -> Vec<bool> {
        let members = pool.members().iter();
        members
            .map(|member| member.availability.is_open(now))
            .collect()
    }

    #[test]
    fn another_instance_passes_over_what_this_one_does_and_for_as_long() {
        let (now, second) = (Duration::from_secs(100), Duration::from_secs(1));
        let one = pool(&["http://a", "http://b", "http://c"]);
        let b = &one.members()[1].availability;
        b.pass_over(now, 3 * second, 4 * second);
        let told = one.absences(now, TIME);
        // Its clock began at another time, and its list has another order.
        let (other, later) = (pool(&["http://b", "http://c", "http://d"]), 7 * second);
        other.learn(&told, later, TIME + second);
        assert_eq!(open_at(&other, later), [false, true, true]);
        assert_eq!(open_at(&other, later + 2 * second), [true; 3]);
        let b = &other.members()[0].availability;
        let attempt = b.attempt(later + 2 * second, second);
        assert_eq!(b.refused(attempt, later + 2 * second), Some(8 * second));
    }

    #[test]
    fn nothing_is_written_of_servers_that_connect() {
        let pool = pool(&["http://a", "http://b"]);
        assert_eq!(pool.absences(Duration::ZERO, TIME), [0; 0]);
    }

    #[test]
    fn what_is_no_such_value_does_no_harm() {
        let pool = pool(&["http://a", "http://b"]);
        for bytes in [&b""[..], b"x", &[0; 23], &[0xff; 24], &[0; 100]] {
            pool.learn(bytes, Duration::ZERO, TIME);
            assert_eq!(open_at(&pool, Duration::ZERO), [true; 2]);
        }
    }
}
