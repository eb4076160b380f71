//! Slows down whoever guesses at credentials.
//!
//! Wrong credentials are counted for each client address, an IPv6 address by
//! its first 64 bits. Too many of them lock the address, for right credentials
//! as well. A client on the gateway's own machine is answered late instead.
//! Missing credentials do not count, and a right one forgives nothing: else
//! whoever holds one could go on guessing at others.
//!
//! Rules: as OpenClaw reads `gateway.auth.rateLimit`.

use std::net::IpAddr;
use std::time::Duration;

use crate::auth::Denied;
use crate::counters::{Counters, Entry, Milliseconds, Windows, seconds_until};
use crate::rejection::Rejection;

/// How late the first wrong credential of this machine is answered.
const FIRST_DELAY: Duration = Duration::from_millis(250);

/// How late one is answered at most.
const LAST_DELAY: Duration = Duration::from_secs(5);

/// How many wrong credentials an address may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttle {
    /// How many there may be; the last of them locks the address.
    pub attempts: u32,
    /// In which windows they are counted, together with the window before.
    pub windows: Windows,
    /// How long the address is locked, in milliseconds.
    pub lockout: Milliseconds,
    /// Whether this machine is locked like any other.
    pub loopback: Exemption,
}

/// Whether something is spared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exemption {
    /// It is.
    Spared,
    /// It is not.
    None,
}

impl Throttle {
    /// Checks that an address is not locked.
    ///
    /// # Errors
    /// A locked address, with the time until it is opened again.
    pub fn check(
        &self,
        address: IpAddr,
        counters: &impl Counters,
        now: Milliseconds,
    ) -> Result<(), Rejection> {
        if self.spares(address) {
            return Ok(());
        }
        match counters.time(&self.lock(address, now)) {
            Some(until) if until > now => Err(Rejection::Locked(seconds_until(until, now))),
            Some(_) | None => Ok(()),
        }
    }

    /// Counts that an address was not let in, and returns how late it is to be
    /// told.
    pub fn denied(
        &self,
        denied: Denied,
        address: IpAddr,
        counters: &impl Counters,
        now: Milliseconds,
    ) -> Duration {
        match denied {
            Denied::Missing | Denied::Expired => return Duration::ZERO,
            Denied::Wrong => {}
        }
        let begin = self.windows.begin(now);
        let before = self.failures(address, begin.saturating_sub(self.windows.length));
        let count = counters.add(&self.failures(address, begin), 1);
        let failures = count.unwrap_or(0) + counters.add(&before, 0).unwrap_or(0);
        if self.spares(address) {
            return delay(failures);
        }
        if failures >= i64::from(self.attempts) {
            let until = now.saturating_add(self.lockout);
            // The lock may last into the next period, and is looked for there.
            counters.keep(&self.lock(address, now), until);
            counters.keep(&self.lock(address, until), until);
        }
        Duration::ZERO
    }

    fn spares(&self, address: IpAddr) -> bool {
        address.is_loopback() && self.loopback == Exemption::Spared
    }

    /// Names the failures of the window that begins at a time.
    fn failures(&self, address: IpAddr, begin: Milliseconds) -> Entry {
        // Read in the window after it, too.
        let until = begin.saturating_add(self.windows.length.saturating_mul(2));
        Entry::new("failures", &network(address), until)
    }

    /// Names the lock in the period around a time.
    fn lock(&self, address: IpAddr, time: Milliseconds) -> Entry {
        let periods = Windows {
            length: self.lockout,
        };
        Entry::new("lock", &network(address), periods.end(time))
    }
}

/// Returns what an address is counted under.
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
    use crate::counters::fake::{Broken, Memory};

    const CLIENT: &str = "203.0.113.9";

    /// When the tests begin: with a window and with a period of locks.
    const BEGIN: Milliseconds = 6_000_000 * 300_000;

    fn throttle() -> Throttle {
        Throttle {
            attempts: 3,
            windows: Windows { length: 60_000 },
            lockout: 300_000,
            loopback: Exemption::Spared,
        }
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn guess(counters: &Memory, from: &str, now: u64) -> Result<Duration, Rejection> {
        let (from, now) = (address(from), BEGIN + now);
        throttle().check(from, counters, now)?;
        Ok(throttle().denied(Denied::Wrong, from, counters, now))
    }

    #[test]
    fn too_many_wrong_credentials_lock_the_address_for_everyone_there() {
        let counters = Memory::default();
        for second in 0..3 {
            assert_eq!(guess(&counters, CLIENT, second * 1000), Ok(Duration::ZERO));
        }
        assert_eq!(guess(&counters, CLIENT, 3_000), Err(Rejection::Locked(299)));
        let check = |from, now| {
            throttle()
                .check(address(from), &counters, BEGIN + now)
                .is_ok()
        };
        assert!(!check(CLIENT, 301_999));
        assert!(check(CLIENT, 302_000));
        assert!(check("203.0.113.10", 3_000));
    }

    #[test]
    fn a_new_window_does_not_forgive_the_one_before() {
        let counters = Memory::default();
        for now in [59_000, 59_500, 60_000] {
            assert!(guess(&counters, CLIENT, now).is_ok());
        }
        assert!(guess(&counters, CLIENT, 60_001).is_err());
        let counters = Memory::default();
        for now in [0, 1, 120_000, 120_001] {
            assert!(guess(&counters, CLIENT, now).is_ok(), "{now}");
        }
    }

    #[test]
    fn what_is_no_guess_does_not_count() {
        let counters = Memory::default();
        for denied in [Denied::Missing, Denied::Expired] {
            for _ in 0..10 {
                throttle().denied(denied, address(CLIENT), &counters, 0);
            }
        }
        assert!(counters.sums.borrow().is_empty());
    }

    #[test]
    fn this_machine_is_answered_late_and_never_locked() {
        let counters = Memory::default();
        let delays = (0..8).map(|_| guess(&counters, "127.0.0.1", 0).unwrap().as_millis());
        let delays: Vec<_> = delays.collect();
        assert_eq!(delays, [250, 500, 1000, 2000, 4000, 5000, 5000, 5000]);
        let strict = Throttle {
            loopback: Exemption::None,
            ..throttle()
        };
        for _ in 0..3 {
            strict.denied(Denied::Wrong, address("::1"), &counters, 0);
        }
        assert!(strict.check(address("::1"), &counters, 0).is_err());
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one() {
        let counters = Memory::default();
        for n in 1..4 {
            assert!(guess(&counters, &format!("2001:db8::{n}"), 0).is_ok());
        }
        assert!(guess(&counters, "2001:db8::ffff", 0).is_err());
        assert!(guess(&counters, "2001:db8:0:1::1", 0).is_ok());
    }

    #[test]
    fn a_store_that_fails_locks_nobody_out() {
        for _ in 0..10 {
            let from = address(CLIENT);
            assert_eq!(throttle().check(from, &Broken, 0), Ok(()));
            let delay = throttle().denied(Denied::Wrong, from, &Broken, 0);
            assert_eq!(delay, Duration::ZERO);
        }
    }
}
