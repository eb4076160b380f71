//! The address of a client, from the host or from a trusted proxy.
//!
//! Without a configured proxy, a request with a proxy's headers came through a
//! proxy that the operator did not plan for, and its headers cannot be trusted.
//! OpenClaw rejects such a request, and so does the gateway.

use std::net::IpAddr;

use crate::rejection::Rejection;

use super::headers::Headers;
use super::network::Network;

/// The headers in which proxies describe the client.
const PROXY_HEADERS: [&str; 2] = ["forwarded", "x-real-ip"];

/// The prefix of all other such headers.
const PROXY_PREFIX: &str = "x-forwarded-";

/// The header in which proxies list the addresses of clients.
pub const FORWARDED_FOR: &str = "x-forwarded-for";

/// Where the addresses of clients come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// The networks of trusted proxies.
    pub trusted: Vec<Network>,
    /// The header in which the host passes on the address of its peer, if it has
    /// one. The host must replace a value that a client sends, or add its own.
    pub peer_header: Option<String>,
    /// The header in which proxies send the client's address, if it is not
    /// [`FORWARDED_FOR`]. It holds a single address.
    pub client_header: Option<String>,
}

/// The address that a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress {
    client: Option<IpAddr>,
    proxy: Option<IpAddr>,
}

impl ClientAddress {
    /// Returns the address of the client, or `None` if neither the host nor a
    /// trusted proxy sends it.
    #[must_use]
    pub fn client(&self) -> Option<IpAddr> {
        self.client
    }

    /// Returns the address of the trusted proxy that sent the request, or `None`
    /// if the host does not expose its peer.
    #[must_use]
    pub fn proxy(&self) -> Option<IpAddr> {
        self.proxy
    }

    #[cfg(test)]
    pub(crate) fn for_test(client: Option<&str>, proxy: Option<&str>) -> Self {
        let parse = |text: Option<&str>| text.map(|text| text.parse().unwrap());
        Self {
            client: parse(client),
            proxy: parse(proxy),
        }
    }
}

impl Proxies {
    /// Determines the client's address.
    ///
    /// If the host does not expose its peer, the gateway assumes that every
    /// request comes from the configured proxy.
    ///
    /// # Errors
    /// [`Rejection::Proxied`] for a proxy's headers from an untrusted peer, for headers of a
    /// trusted proxy without the client's address, and for an address that cannot be read.
    pub fn client_address(&self, headers: &Headers) -> Result<ClientAddress, Rejection> {
        let peer = self.peer(headers)?;
        let proxy = peer.filter(|peer| self.trusts(*peer));
        let is_trusted = match peer {
            Some(_) => proxy.is_some(),
            None => self.peer_header.is_none() && !self.trusted.is_empty(),
        };
        let forwarded = match &self.client_header {
            Some(name) if is_trusted => single(headers, name)?.map(parse_bytes),
            Some(_) | None => is_forwarded(headers).then(|| self.last_untrusted(headers)),
        };
        let client = match forwarded {
            Some(client) if is_trusted => Some(client.ok_or(Rejection::Proxied)?),
            Some(_) => return Err(Rejection::Proxied),
            None => peer,
        };
        Ok(ClientAddress { client, proxy })
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }

    fn peer(&self, headers: &Headers) -> Result<Option<IpAddr>, Rejection> {
        let Some(name) = &self.peer_header else {
            return Ok(None);
        };
        let peer = single(headers, name)?;
        peer.map(|peer| parse_bytes(peer).ok_or(Rejection::Proxied))
            .transpose()
    }

    /// Returns the last address of `X-Forwarded-For` that is not a trusted proxy's, or the
    /// first one if all are: the client is then in a trusted network, too. Every proxy
    /// appends its own peer, to the list or as another field (RFC 9110, section 5.3). A
    /// loopback address would be the proxy's own machine.
    fn last_untrusted(&self, headers: &Headers) -> Option<IpAddr> {
        let fields = headers.all(FORWARDED_FOR).rev();
        let texts = fields.flat_map(|field| field.rsplit(|byte| *byte == b','));
        let mut client = None;
        for address in texts.map(parse_bytes) {
            client = Some(address?);
            if client.is_some_and(|address| !self.trusts(address)) {
                break;
            }
        }
        client.filter(|address| !address.is_loopback())
    }
}

/// Returns the value of a field that the host or a proxy sets.
///
/// # Errors
/// [`Rejection::Proxied`] for more than one such field: Spin adds its own after
/// the client's.
fn single<'h>(headers: &'h Headers, name: &str) -> Result<Option<&'h [u8]>, Rejection> {
    let mut values = headers.all(name);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(Rejection::Proxied),
    }
}

fn parse_bytes(text: &[u8]) -> Option<IpAddr> {
    parse(std::str::from_utf8(text).ok()?.trim())
}

/// Parses an address with or without a port and an IPv6 zone (RFC 4007, section 11), which
/// is only known on its own machine. An IPv4-mapped IPv6 address becomes the IPv4 address
/// (RFC 4291, section 2.5.5.2).
fn parse(text: &str) -> Option<IpAddr> {
    let host = match text.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?.0,
        None => text,
    };
    let host = host.split('%').next()?;
    let without_port = || host.split(':').next()?.parse().ok();
    let address = host.parse().ok().or_else(without_port)?;
    Some(IpAddr::to_canonical(&address))
}

/// Returns whether a request has headers of a proxy.
fn is_forwarded(headers: &Headers) -> bool {
    headers.names().any(|name| {
        let prefix = name.get(..PROXY_PREFIX.len());
        PROXY_HEADERS
            .iter()
            .any(|header| name.eq_ignore_ascii_case(header))
            || prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(PROXY_PREFIX))
    })
}

#[cfg(test)]
mod tests;
