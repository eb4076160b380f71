//! The HTTP request: from bytes to who sent what, and from where.
//!
//! Everything here is pure. Reading the bytes is up to [`crate::host`].

mod body;
mod client_address;
mod coding;
mod cors;
mod head;
mod headers;
mod network;
mod route;

pub use body::{JsonText, without_whitespace};
pub use client_address::{ClientAddress, FORWARDED_FOR, Proxies};
pub use coding::{ACCEPTED_CODINGS, check_coding};
pub use cors::{Cors, Grant, Origin};
pub use head::RequestHead;
pub use headers::Headers;
pub use network::Network;
pub use route::{Endpoint, Probe, Route};
