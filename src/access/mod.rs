//! Access control: who a client is, what a caller may do, and how often.
//!
//! ```text
//! auth         credentials              -> Caller, or Denied
//! throttle     failed attempts          -> a delay, or a lockout
//! rate         an API key's requests    -> a permit, or a rejection
//! permissions  Caller + request         -> allowed, or a rejection
//! ```
//!
//! Everything here is pure. [`Counters`] is the interface to the host's store.

mod admission;
mod auth;
mod caller;
mod counters;
mod digest;
mod key;
pub mod permissions;
mod rate;
mod scopes;
mod throttle;
mod time;
mod users;

pub use admission::{Guard, permit_request, permit_run};
pub use auth::{Auth, Credentials, Denied};
pub use caller::{Caller, Identity};
pub use counters::{Counters, Entry, PREFIX, Windows};
pub use digest::{SecretDigest, parse_hex, short_digest, to_hex};
pub use key::{Key, Keys, Permission, ToolScope};
pub use rate::Rate;
pub use scopes::{SCOPES_HEADER, Scope, Scopes};
pub use throttle::{Exemption, Throttle};
pub use time::UnixMillis;
pub use users::{Loopback, ProxyUsers};

#[cfg(test)]
pub(crate) use counters::fake;

#[cfg(test)]
mod tests;
