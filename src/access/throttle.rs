//! Brute-force protection: failed attempts per client address.
//!
//! An IPv6 address counts by its first 64 bits. Too many failed attempts lock the
//! address out, even with the right credential. On a loopback address, answers are
//! delayed instead. Requests without credentials do not count as failed attempts.
//! A successful login does not reset the counter; otherwise the holder of one
//! credential could attack the others.
//!
//! The rules are OpenClaw's for `gateway.auth.rateLimit`.

use std::net::IpAddr;
use std::time::Duration;

use crate::rejection::Rejection;

use super::auth::Denied;
use super::counters::{Counters, Entry, Windows};
use super::time::UnixMillis;

/// The delay of the first failed attempt from a loopback address.
const FIRST_DELAY: Duration = Duration::from_millis(250);

/// The longest delay.
const LAST_DELAY: Duration = Duration::from_secs(5);

/// The limit of failed attempts per address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttle {
    /// The number of failed attempts that causes a lockout.
    pub attempts: u32,
    /// The windows of the counter. A window counts together with the one before.
    pub windows: Windows,
    /// The length of a lockout.
    pub lockout: Duration,
    /// Whether loopback addresses are exempt from lockouts.
    pub loopback: Exemption,
}

/// Whether an address is exempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exemption {
    /// It is exempt.
    Exempt,
    /// It is not.
    NotExempt,
}

impl Throttle {
    /// Checks that an address is not locked out.
    ///
    /// # Errors
    /// [`Rejection::Locked`] with the remaining time.
    pub fn check(
        &self,
        address: IpAddr,
        counters: &impl Counters,
        now: UnixMillis,
    ) -> Result<(), Rejection> {
        if self.exempts(address) {
            return Ok(());
        }
        match counters.time(&self.lock(address, now)) {
            Some(until) if until > now => Err(Rejection::Locked(now.seconds_until(until))),
            Some(_) | None => Ok(()),
        }
    }

    /// Counts a failed attempt and returns how long to delay its answer.
    pub fn denied(
        &self,
        denied: Denied,
        address: IpAddr,
        counters: &impl Counters,
        now: UnixMillis,
    ) -> Duration {
        match denied {
            Denied::Missing | Denied::Several | Denied::Expired => return Duration::ZERO,
            Denied::Wrong => {}
        }
        let begin = self.windows.begin(now);
        let previous = self.failures(address, begin.minus(self.windows.length));
        let count = counters.add(&self.failures(address, begin), 1);
        let failures = count.unwrap_or(0) + counters.add(&previous, 0).unwrap_or(0);
        if self.exempts(address) {
            return delay(failures);
        }
        if failures >= i64::from(self.attempts) {
            let until = now + self.lockout;
            // A lockout may end in the next period, where `check` looks for it then.
            counters.set_time(&self.lock(address, now), until);
            counters.set_time(&self.lock(address, until), until);
        }
        Duration::ZERO
    }

    fn exempts(&self, address: IpAddr) -> bool {
        address.is_loopback() && self.loopback == Exemption::Exempt
    }

    /// Returns the entry of the failures in the window that begins at a time. The
    /// next window reads it too.
    fn failures(&self, address: IpAddr, begin: UnixMillis) -> Entry {
        let expiry = begin + self.windows.length.saturating_mul(2);
        Entry::new("failures", &network(address), expiry)
    }

    /// Returns the entry of the lockout in the period that contains a time.
    fn lock(&self, address: IpAddr, time: UnixMillis) -> Entry {
        let periods = Windows {
            length: self.lockout,
        };
        Entry::new("lock", &network(address), periods.end(time))
    }
}

/// Returns the part of an address that is counted.
fn network(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().into_iter().take(8).collect(),
    }
}

fn delay(failures: i64) -> Duration {
    let doublings = u32::try_from(failures.saturating_sub(1))
        .unwrap_or(0)
        .min(8);
    LAST_DELAY.min(FIRST_DELAY * 2_u32.pow(doublings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::counters::fake::{Failing, Memory};

    const CLIENT: &str = "203.0.113.9";

    /// The beginning of a window and of a period of lockouts.
    const BEGIN: UnixMillis = UnixMillis::new(6_000_000 * 300_000);

    fn throttle() -> Throttle {
        Throttle {
            attempts: 3,
            windows: Windows {
                length: Duration::from_secs(60),
            },
            lockout: Duration::from_secs(300),
            loopback: Exemption::Exempt,
        }
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn attempt(counters: &Memory, from: &str, now: u64) -> Result<Duration, Rejection> {
        let (from, now) = (address(from), BEGIN + Duration::from_millis(now));
        throttle().check(from, counters, now)?;
        Ok(throttle().denied(Denied::Wrong, from, counters, now))
    }

    #[test]
    fn too_many_failed_attempts_lock_the_address_out() {
        let counters = Memory::default();
        for second in 0..3 {
            assert_eq!(
                attempt(&counters, CLIENT, second * 1000),
                Ok(Duration::ZERO)
            );
        }
        assert_eq!(
            attempt(&counters, CLIENT, 3_000),
            Err(Rejection::Locked(299))
        );
        let check = |from, now| {
            throttle()
                .check(address(from), &counters, BEGIN + Duration::from_millis(now))
                .is_ok()
        };
        assert!(!check(CLIENT, 301_999));
        assert!(check(CLIENT, 302_000));
        assert!(check("203.0.113.10", 3_000));
    }

    #[test]
    fn a_new_window_does_not_reset_the_one_before() {
        let counters = Memory::default();
        for now in [59_000, 59_500, 60_000] {
            assert!(attempt(&counters, CLIENT, now).is_ok());
        }
        assert!(attempt(&counters, CLIENT, 60_001).is_err());
        let counters = Memory::default();
        for now in [0, 1, 120_000, 120_001] {
            assert!(attempt(&counters, CLIENT, now).is_ok(), "{now}");
        }
    }

    #[test]
    fn missing_and_expired_credentials_do_not_count() {
        let counters = Memory::default();
        for denied in [Denied::Missing, Denied::Expired] {
            for _ in 0..10 {
                throttle().denied(denied, address(CLIENT), &counters, UnixMillis::default());
            }
        }
        assert!(counters.sums.borrow().is_empty());
    }

    #[test]
    fn loopback_is_delayed_and_never_locked_out() {
        let counters = Memory::default();
        let delays = (0..8).map(|_| attempt(&counters, "127.0.0.1", 0).unwrap().as_millis());
        let delays: Vec<_> = delays.collect();
        assert_eq!(delays, [250, 500, 1000, 2000, 4000, 5000, 5000, 5000]);
        let strict = Throttle {
            loopback: Exemption::NotExempt,
            ..throttle()
        };
        for _ in 0..3 {
            strict.denied(
                Denied::Wrong,
                address("::1"),
                &counters,
                UnixMillis::default(),
            );
        }
        assert!(
            strict
                .check(address("::1"), &counters, UnixMillis::default())
                .is_err()
        );
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_together() {
        let counters = Memory::default();
        for n in 1..4 {
            assert!(attempt(&counters, &format!("2001:db8::{n}"), 0).is_ok());
        }
        assert!(attempt(&counters, "2001:db8::ffff", 0).is_err());
        assert!(attempt(&counters, "2001:db8:0:1::1", 0).is_ok());
    }

    #[test]
    fn a_failing_store_locks_no_address_out() {
        for _ in 0..10 {
            let from = address(CLIENT);
            assert_eq!(
                throttle().check(from, &Failing, UnixMillis::default()),
                Ok(())
            );
            let delay = throttle().denied(Denied::Wrong, from, &Failing, UnixMillis::default());
            assert_eq!(delay, Duration::ZERO);
        }
    }
}
