//! The gateway's part of the configuration document, as typed values.
//!
//! OpenClaw's sections follow OpenClaw's rules, and unknown keys in them are ignored.
//! An unknown key under `tidegate` is a fault. `tidegate.runtime` belongs to the
//! runtime component.

mod agents;
mod credentials;
mod endpoints;
mod guards;
mod http;
mod keys;
mod limits;
mod proxies;
mod responses;
mod runs;
mod runtimes;
mod session;
mod settings;
mod stream;

pub use credentials::WELL_KNOWN_VARIABLES;
pub use endpoints::Endpoints;
pub use responses::ResponseSettings;
pub use settings::{Config, Settings};
pub use stream::StreamSettings;

#[cfg(test)]
mod tests;
