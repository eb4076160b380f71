//! The lease of an instance: as long as an instance renews it, its runs are under way.
//!
//! ```text
//! tidegate-instance/<id>/lease    when the lease ends, in milliseconds since 1970
//! tidegate-instance/<id>/cancels  a value that changes when a run is to be cancelled
//! ```
//!
//! One lease is for all runs of an instance, and so is one read for all requests to cancel one
//! of them.

use std::time::Duration;

use uuid::Uuid;

use crate::access::{Store, UnixMillis, register_keys};

/// How often an instance renews its lease.
pub const RENEWAL: Duration = Duration::from_secs(5);

/// How often an instance looks for requests to cancel a run.
pub const LOOK: Duration = Duration::from_secs(1);

/// How long a lease lasts. An instance may be late by more than one renewal.
const LENGTH: Duration = Duration::from_secs(12);

/// How long before the end of its lease an instance stops to write. The store may be slow.
const MARGIN: Duration = Duration::from_secs(2);

/// How long the keys of an instance stay in the store after the begin of a run.
const LIFE: Duration = Duration::from_hours(48);

/// The difference of the clocks of two instances that is tolerated.
const SKEW: Duration = Duration::from_secs(1);

/// The lease of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    instance: Uuid,
}

impl Lease {
    /// Returns the lease of an instance.
    #[must_use]
    pub fn of(instance: Uuid) -> Self {
        Self { instance }
    }

    /// Returns the instance.
    #[must_use]
    pub fn instance(self) -> Uuid {
        self.instance
    }

    /// Renews the lease, and returns the time until which the instance may write.
    #[must_use]
    pub fn renew(self, store: &impl Store, now: UnixMillis) -> Option<UnixMillis> {
        let end = now + LENGTH;
        store.set(&self.key("lease"), &end.millis().to_le_bytes())?;
        Some(end.minus(MARGIN))
    }

    /// Returns whether the instance has stopped. `None` means that the store has failed.
    #[must_use]
    pub fn is_over(self, store: &impl Store, now: UnixMillis) -> Option<bool> {
        let end = store.get(&self.key("lease"))?;
        let end = end.and_then(|bytes| bytes.try_into().ok());
        let end = end.map_or(0, u64::from_le_bytes);
        Some(UnixMillis::new(end) + SKEW < now)
    }

    /// Tells the instance that one of its runs is to be cancelled. `token` is any new value.
    pub fn ask(self, store: &impl Store, token: Uuid) -> Option<()> {
        store.set(&self.key("cancels"), token.as_bytes())
    }

    /// Returns the value that changes when a run is to be cancelled.
    #[must_use]
    pub fn asked(self, store: &impl Store) -> Option<Option<Vec<u8>>> {
        store.get(&self.key("cancels"))
    }

    /// Registers the keys in the store, so that they can be found after the instance has
    /// stopped. No instance lasts longer than two days without a pause.
    pub fn register(self, store: &impl Store, now: UnixMillis) -> Option<()> {
        let keys = [self.key("lease"), self.key("cancels")];
        register_keys(store, &keys, now + LIFE)
    }

    fn key(self, name: &str) -> String {
        format!("tidegate-instance/{}/{name}", self.instance.simple())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::fake::Memory;

    const BEGIN: UnixMillis = UnixMillis::new(1_800_000_000_000);

    fn after(seconds: u64) -> UnixMillis {
        BEGIN + Duration::from_secs(seconds)
    }

    #[test]
    fn a_lease_is_over_within_fifteen_seconds_and_not_before_its_instance_stops_to_write() {
        let (store, lease) = (Memory::default(), Lease::of(Uuid::from_u128(1)));
        assert_eq!(lease.is_over(&store, BEGIN), Some(true));
        let until = lease.renew(&store, BEGIN).unwrap();
        assert!(until < after(11));
        assert_eq!(lease.is_over(&store, after(12)), Some(false));
        assert_eq!(lease.is_over(&store, after(14)), Some(true));
        lease.renew(&store, after(5)).unwrap();
        assert_eq!(lease.is_over(&store, after(14)), Some(false));
        let other = Lease::of(Uuid::from_u128(2));
        assert_eq!(other.is_over(&store, after(6)), Some(true));
    }

    #[test]
    fn a_request_to_cancel_reaches_its_instance_alone() {
        let store = Memory::default();
        let [one, other] = [1, 2].map(|id| Lease::of(Uuid::from_u128(id)));
        assert_eq!(one.asked(&store), Some(None));
        one.ask(&store, Uuid::from_u128(7)).unwrap();
        assert_ne!(one.asked(&store), Some(None));
        assert_eq!(other.asked(&store), Some(None));
    }
}
