//! `gateway.trustedProxies` and `tidegate.client`: what is known of the way that
//! requests come.

use tidegate_config::Section;

use crate::network::Network;
use crate::proxies::{FORWARDED_FOR, Proxies};

/// The header in which Spin tells the address of its peer, behind what the
/// client has sent under this name.
const SPIN_PEER: &str = "spin-client-addr";

/// Reads both sections.
pub(super) fn read_proxies(gateway: &mut Section<'_>, tidegate: &mut Section<'_>) -> Proxies {
    let names = gateway.texts("trustedProxies").unwrap_or_default();
    let networks = names.iter().map(|name| Network::parse(name.trim()));
    let trusted: Vec<_> = networks.flatten().collect();
    if trusted.len() < names.len() {
        gateway.fault(
            "trustedProxies",
            "must hold addresses such as \"10.0.0.1\", or ranges such as \"10.0.0.0/8\"",
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
