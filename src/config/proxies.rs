//! `gateway.trustedProxies` and `tidegate.client`.

use std::net::IpAddr;

use ipnet::IpNet;
use tidegate_config::Section;

use crate::inbound::{FORWARDED_FOR, Proxies};

/// The header in which Spin sends the address of its peer. Spin appends it to a value
/// that the client sends.
const SPIN_PEER: &str = "spin-client-addr";

/// Reads both sections.
pub(super) fn read_proxies(gateway: &mut Section<'_>, tidegate: &mut Section<'_>) -> Proxies {
    let names = gateway.texts("trustedProxies").unwrap_or_default();
    let networks = names.iter().map(|name| parse_network(name.trim()));
    let trusted: Vec<_> = networks.flatten().collect();
    if trusted.len() < names.len() {
        gateway.fault(
            "trustedProxies",
            "must contain only addresses such as \"10.0.0.1\", or ranges such as \"10.0.0.0/8\"",
        );
    }
    let mut client = tidegate.section("client");
    let peer_header = client.text("peerHeader");
    let client_header = client.text("addressHeader");
    client.deny_unknown_keys();
    Proxies {
        trusted,
        peer_header: peer_header.or_else(|| cfg!(feature = "spin").then(|| SPIN_PEER.to_owned())),
        client_header: client_header.filter(|name| !name.eq_ignore_ascii_case(FORWARDED_FOR)),
    }
}

/// Parses an address, or a range in CIDR notation (RFC 4632, section 3.1; RFC 4291,
/// section 2.3).
fn parse_network(text: &str) -> Option<IpNet> {
    let range = text.parse().ok();
    range.or_else(|| text.parse().ok().map(|address: IpAddr| address.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_contains_the_addresses_with_its_prefix() {
        for (range, address, expected) in [
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("10.1.2.3/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/31", "10.0.0.2", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::1", "::1", true),
        ] {
            let network = parse_network(range).unwrap();
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(network.contains(&address), expected, "{address} in {range}");
        }
    }

    #[test]
    fn other_text_is_not_a_range() {
        for text in [
            "",
            "/",
            "10",
            "10.0.0",
            "10.0.0.1/",
            "10.0.0.1/33",
            "10.0.0.1/-1",
            "::/129",
            "localhost",
            "10.0.0.1:80",
            "*",
            " 10.0.0.1",
        ] {
            assert_eq!(parse_network(text), None, "{text}");
        }
    }
}
