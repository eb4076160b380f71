//! Access control: who a client is, what a caller may do, and how often.
//!
//! ```text
//! auth         credentials              -> Caller, or Denied
//! throttle     failed attempts          -> a delay, or a lockout
//! rate         an API key's requests    -> a permit, or a rejection
//! places       runs in progress         -> a place, or a rejection
//! permissions  Caller + request         -> allowed, or a rejection
//! ```
//!
//! Everything here is pure. [`Store`] is the interface to the host's store, in which
//! [`Counters`] counts. [`Sweep`] deletes what has expired.

mod admission;
mod auth;
mod caller;
mod counters;
mod digest;
mod entry;
mod index;
mod key;
pub mod permissions;
mod places;
mod rate;
mod scopes;
mod store;
mod sweep;
mod throttle;
mod time;
mod users;
mod windows;

pub use admission::{Guard, permit_request, permit_run, place_limits};
pub use auth::{AUTHORIZATION, Auth, Credentials, Denied};
pub use caller::{Caller, Identity};
pub use counters::Counters;
pub use digest::{SecretDigest, parse_hex, short_digest, to_hex};
pub use entry::Entry;
pub use index::register_keys;
pub use key::{Key, Keys, Permission, ToolScope};
pub use places::{PlaceLimit, Places};
pub use rate::Rate;
pub use scopes::{SCOPES_HEADER, Scope, Scopes};
pub use store::Store;
pub use sweep::Sweep;
pub use throttle::{Exemption, Throttle};
pub use time::UnixMillis;
pub use users::{Loopback, ProxyUsers};
pub use windows::Windows;

#[cfg(test)]
pub(crate) use store::fake;

#[cfg(test)]
mod bounded_store;
#[cfg(test)]
mod tests;
