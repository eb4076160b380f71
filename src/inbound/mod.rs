//! The HTTP request: from bytes to who sent what, and from where.
//!
//! Everything here is pure. Reading the bytes is up to [`crate::host`].

mod api;
mod body;
mod budget;
mod client_address;
mod coding;
mod cors;
mod decoder;
mod head;
mod headers;
mod network;
mod pace;
mod route;
mod upload;

pub use api::Api;
pub use body::JsonText;
pub use budget::{Budget, Holding};
pub use client_address::{ClientAddress, FORWARDED_FOR, Proxies};
pub use coding::ACCEPTED_CODINGS;
pub use cors::{Cors, Grant, Origin};
pub use head::RequestHead;
pub use headers::Headers;
pub use network::Network;
pub use route::{Endpoint, Probe, Route};
pub use upload::Upload;
