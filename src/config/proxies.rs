//! `gateway.trustedProxies` and `tidegate.client`.

use tidegate_config::Section;

use crate::inbound::{FORWARDED_FOR, Network, Proxies};

/// The header in which Spin sends the address of its peer. Spin appends it to a value
/// that the client sends.
const SPIN_PEER: &str = "spin-client-addr";

/// Reads both sections.
pub(super) fn read_proxies(gateway: &mut Section<'_>, tidegate: &mut Section<'_>) -> Proxies {
    let names = gateway.texts("trustedProxies").unwrap_or_default();
    let networks = names.iter().map(|name| Network::parse(name.trim()));
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
