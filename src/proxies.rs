//! Who sent a request: the proxies before the gateway, and what they tell of
//! the client.
//!
//! Where no proxy is configured, a request with a proxy's headers has come
//! through one that nobody has thought of, and whatever it says of the client
//! cannot be believed. The reference refuses it, and so does this.

use std::net::IpAddr;

use crate::headers::Headers;
use crate::network::Network;
use crate::rejection::Rejection;

/// The headers by which a proxy tells of the client.
const HEADERS: [&str; 2] = ["forwarded", "x-real-ip"];

/// What the names of all others begin with.
const PREFIX: &str = "x-forwarded-";

/// The header in which proxies list the clients' addresses.
pub const FORWARDED_FOR: &str = "x-forwarded-for";

/// What is known of the way that requests come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// The proxies that may stand before the gateway.
    pub trusted: Vec<Network>,
    /// The header in which the host itself tells the address of its peer, if it
    /// does. The host must add its own to what a client sends under this name,
    /// or replace it.
    pub peer_header: Option<String>,
    /// The header in which the proxies tell the address of the client, if it is
    /// not [`FORWARDED_FOR`]. It holds one address, and nothing else.
    pub client_header: Option<String>,
}

/// Who sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sender {
    address: Option<IpAddr>,
    proxy: Option<IpAddr>,
}

impl Sender {
    /// Returns the address of the client; none where the host does not tell it
    /// and no proxy does.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Returns the trusted proxy that the request came through; none where the
    /// host does not tell whom it is connected to.
    #[must_use]
    pub fn proxy(&self) -> Option<IpAddr> {
        self.proxy
    }

    #[cfg(test)]
    pub(crate) fn for_test(address: Option<&str>, proxy: Option<&str>) -> Self {
        let parse = |text: Option<&str>| text.map(|text| text.parse().unwrap());
        Self {
            address: parse(address),
            proxy: parse(proxy),
        }
    }
}

impl Proxies {
    /// Finds out who sent a request.
    ///
    /// Where the host is not said to tell its peer, a configured proxy is taken
    /// for the only way to the gateway.
    ///
    /// # Errors
    /// A proxy's headers from elsewhere than a trusted proxy, and from there
    /// without the client's address.
    pub fn sender(&self, headers: &Headers) -> Result<Sender, Rejection> {
        let peer = self.peer(headers)?;
        let proxy = peer.filter(|peer| self.trusts(*peer));
        let believed = match peer {
            Some(_) => proxy.is_some(),
            None => self.peer_header.is_none() && !self.trusted.is_empty(),
        };
        let client = match &self.client_header {
            Some(name) if believed => only(headers, name)?.map(parse_bytes),
            Some(_) | None => is_forwarded(headers).then(|| self.last_untrusted(headers)),
        };
        let address = match client {
            Some(client) if believed => Some(client.ok_or(Rejection::Proxied)?),
            Some(_) => return Err(Rejection::Proxied),
            None => peer,
        };
        Ok(Sender { address, proxy })
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|proxy| proxy.contains(address))
    }

    fn peer(&self, headers: &Headers) -> Result<Option<IpAddr>, Rejection> {
        let Some(name) = &self.peer_header else {
            return Ok(None);
        };
        Ok(only(headers, name)?.and_then(parse_bytes))
    }

    /// Reads the list that every proxy appends its own peer to: from its end, the
    /// first address that is no proxy's. It must be an address out of the
    /// network, not of the proxy's own machine. A proxy may also append a field
    /// of its own (RFC 9110, section 5.3).
    fn last_untrusted(&self, headers: &Headers) -> Option<IpAddr> {
        let fields = headers.all(FORWARDED_FOR).rev();
        let texts = fields.flat_map(|field| field.rsplit(|byte| *byte == b','));
        let mut addresses = texts.map(parse_bytes);
        let client = addresses.find(|address| address.is_none_or(|address| !self.trusts(address)));
        client.flatten().filter(|address| !address.is_loopback())
    }
}

/// Returns the field of a name that the host or a proxy sets.
///
/// # Errors
/// Two such fields: Spin, for one, adds its own behind what the client sent.
fn only<'h>(headers: &'h Headers, name: &str) -> Result<Option<&'h [u8]>, Rejection> {
    let mut values = headers.all(name);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(Rejection::Proxied),
    }
}

fn parse_bytes(text: &[u8]) -> Option<IpAddr> {
    parse(std::str::from_utf8(text).ok()?.trim())
}

/// Reads an address, with or without a port.
fn parse(text: &str) -> Option<IpAddr> {
    let address = match text.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next()?,
        None if text.contains('.') => text.split(':').next()?,
        None => text,
    };
    let address = address.parse().or_else(|_| text.parse()).ok()?;
    Some(IpAddr::to_canonical(&address))
}

/// Tells whether a request carries headers of proxies.
fn is_forwarded(headers: &Headers) -> bool {
    headers.names().any(|name| {
        let start = name.get(..PREFIX.len());
        HEADERS
            .iter()
            .any(|header| name.eq_ignore_ascii_case(header))
            || start.is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
    })
}

#[cfg(test)]
mod tests;
