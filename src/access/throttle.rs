//! Brute-force protection: failed attempts per client address.
//!
//! An IPv6 address counts by its first 64 bits. Too many failed attempts lock the
//! address out, even with the right credential. On a loopback address, for a client
//! without a known address, and for clients of more than 10,000 networks in a window, answers
//! are delayed instead. Requests without credentials do not count as failed attempts.
//! A successful login does not reset the counter; otherwise the holder of one
//! credential could attack the others.
//!
//! The rules are OpenClaw's for `gateway.auth.rateLimit`.

use std::net::IpAddr;
use std::time::Duration;

use crate::rejection::Rejection;

use super::auth::Denied;
use super::counters::Counters;
use super::entry::Entry;
use super::store::Store;
use super::time::UnixMillis;
use super::windows::Windows;

/// The delay of the first failed attempt from a loopback address.
const FIRST_DELAY: Duration = Duration::from_millis(250);

/// The maximum number of networks with counters in a window.
const NETWORK_LIMIT: i64 = 10_000;

/// The clients of further networks.
const OTHERS: &str = "others";

/// The failed attempt that has the longest delay.
const LAST_DELAYED: i64 = 6;

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

/// Whom a failed attempt counts for.
enum Subject {
    /// The network of an address, which is locked out.
    Network(Vec<u8>),
    /// Clients that cannot be locked out, because it would lock out others, too. Their
    /// answers are delayed.
    Shared(&'static str),
}

impl Throttle {
    /// Checks that a client is not locked out.
    ///
    /// # Errors
    /// [`Rejection::Locked`] with the remaining time.
    pub fn check(
        &self,
        client: Option<IpAddr>,
        counters: Counters<'_, impl Store>,
        now: UnixMillis,
    ) -> Result<(), Rejection> {
        let Subject::Network(network) = self.subject(client) else {
            return Ok(());
        };
        match counters.time(&self.lock(&network, now)) {
            Some(until) if until > now => Err(Rejection::Locked(now.seconds_until(until))),
            Some(_) | None => Ok(()),
        }
    }

    /// Counts a failed attempt and returns how long to delay its answer.
    pub fn denied(
        &self,
        denied: Denied,
        client: Option<IpAddr>,
        counters: Counters<'_, impl Store>,
        now: UnixMillis,
    ) -> Duration {
        match denied {
            Denied::Missing | Denied::Several | Denied::Expired => return Duration::ZERO,
            Denied::Wrong => {}
        }
        let begin = self.windows.begin(now);
        let delayed =
            |subject: &str| delay(self.count(subject.as_bytes(), LAST_DELAYED, counters, begin));
        let network = match self.subject(client) {
            Subject::Network(network) if self.may_count(&network, counters, begin) => network,
            Subject::Network(_) => return delayed(OTHERS),
            Subject::Shared(name) => return delayed(name),
        };
        let attempts = i64::from(self.attempts);
        if self.count(&network, attempts, counters, begin) >= attempts {
            let until = now + self.lockout;
            // A lockout may end in the next period, where `check` looks for it then.
            for time in [now, until] {
                counters.set_time(&self.lock(&network, time), until);
            }
        }
        Duration::ZERO
    }

    fn subject(&self, client: Option<IpAddr>) -> Subject {
        match client {
            None => Subject::Shared("unknown"),
            Some(address) if address.is_loopback() && self.loopback == Exemption::Exempt => {
                Subject::Shared("loopback")
            }
            Some(address) => Subject::Network(network(address)),
        }
    }

    /// Returns whether a network has a counter or may get one. Strangers have many addresses,
    /// and must not fill the store.
    fn may_count(
        &self,
        network: &[u8],
        counters: Counters<'_, impl Store>,
        begin: UnixMillis,
    ) -> bool {
        let networks = Entry::new("networks", b"", begin + self.windows.length);
        let is_known = counters.count(&self.failures(network, begin)) > Some(0);
        is_known || counters.add_below(&networks, NETWORK_LIMIT) <= Some(NETWORK_LIMIT)
    }

    /// Counts a failure, up to `most` in a window, and returns the failures of this window and
    /// the one before.
    fn count(
        &self,
        subject: &[u8],
        most: i64,
        counters: Counters<'_, impl Store>,
        begin: UnixMillis,
    ) -> i64 {
        let previous = self.failures(subject, begin.minus(self.windows.length));
        let count = counters.add_below(&self.failures(subject, begin), most);
        count.unwrap_or(0) + counters.count(&previous).unwrap_or(0)
    }

    /// Returns the entry of the failures in the window that begins at a time. The
    /// next window reads it too.
    fn failures(&self, subject: &[u8], begin: UnixMillis) -> Entry {
        let expiry = begin + self.windows.length.saturating_mul(2);
        Entry::new("failures", subject, expiry)
    }

    /// Returns the entry of the lockout in the period that contains a time.
    fn lock(&self, network: &[u8], time: UnixMillis) -> Entry {
        let periods = Windows {
            length: self.lockout,
        };
        Entry::new("lock", network, periods.end(time))
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
    use crate::access::store::fake::{Failing, Memory};

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

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    fn attempt(store: &Memory, from: &str, now: u64) -> Result<Duration, Rejection> {
        let (from, now) = (address(from), BEGIN + Duration::from_millis(now));
        let counters = Counters(store);
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
                .check(
                    address(from),
                    Counters(&counters),
                    BEGIN + Duration::from_millis(now),
                )
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
                throttle().denied(
                    denied,
                    address(CLIENT),
                    Counters(&counters),
                    UnixMillis::default(),
                );
            }
        }
        assert_eq!(counters.len(), 0);
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
                Counters(&counters),
                UnixMillis::default(),
            );
        }
        assert!(
            strict
                .check(address("::1"), Counters(&counters), UnixMillis::default())
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
                throttle().check(from, Counters(&Failing), UnixMillis::default()),
                Ok(())
            );
            let delay = throttle().denied(
                Denied::Wrong,
                from,
                Counters(&Failing),
                UnixMillis::default(),
            );
            assert_eq!(delay, Duration::ZERO);
        }
    }

    #[test]
    fn further_failures_of_delayed_clients_add_nothing() {
        let store = Memory::default();
        let deny = || throttle().denied(Denied::Wrong, None, Counters(&store), BEGIN);
        for _ in 0..6 {
            deny();
        }
        let before = store.additions();
        for _ in 0..100 {
            assert_eq!(deny(), LAST_DELAY);
        }
        assert_eq!(store.additions(), before);
    }

    #[test]
    fn clients_without_an_address_are_delayed_together_and_never_locked_out() {
        let store = Memory::default();
        let deny = || throttle().denied(Denied::Wrong, None, Counters(&store), BEGIN);
        let delays: Vec<_> = (0..4).map(|_| deny().as_millis()).collect();
        assert_eq!(delays, [250, 500, 1000, 2000]);
        assert_eq!(throttle().check(None, Counters(&store), BEGIN), Ok(()));
    }

    #[test]
    fn strangers_of_many_networks_have_one_counter_and_lock_nobody_out() {
        let store = Memory::default();
        let deny = |number: u32| {
            let client = Some(IpAddr::from(number.to_be_bytes()));
            throttle().denied(Denied::Wrong, client, Counters(&store), BEGIN)
        };
        let first = 0x0b00_0000;
        let most = u32::try_from(NETWORK_LIMIT).unwrap();
        for number in first..first + most {
            assert_eq!(deny(number), Duration::ZERO);
        }
        let size = store.len();
        for (count, number) in (first + most..).take(100).enumerate() {
            assert!(deny(number) >= FIRST_DELAY, "{count}");
        }
        assert!(store.len() <= size + 3, "{size} {}", store.len());
        let stranger = address("192.0.2.1");
        assert_eq!(throttle().check(stranger, Counters(&store), BEGIN), Ok(()));
        // The networks with a counter are still locked out.
        deny(first);
        deny(first);
        let locked = Some(IpAddr::from(first.to_be_bytes()));
        assert!(throttle().check(locked, Counters(&store), BEGIN).is_err());
    }
}
