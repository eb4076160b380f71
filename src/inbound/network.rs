//! Networks in CIDR notation: `10.0.0.1` or `10.0.0.0/8`.
//!
//! Source: RFC 4632, section 3.1, and RFC 4291, section 2.3.

use std::net::IpAddr;

/// All addresses with the same prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    /// The length of the prefix, in bits.
    prefix: u32,
}

impl Network {
    /// Parses an address, or an address and the length of a prefix. Returns `None` for
    /// other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse().ok()?)),
            None => (text, None),
        };
        let base: IpAddr = address.parse().ok()?;
        let prefix = prefix.unwrap_or(width(base));
        (prefix <= width(base)).then_some(Self { base, prefix })
    }

    /// Returns whether the network contains an address. An IPv4-mapped IPv6 address
    /// counts as the IPv4 address (RFC 4291, section 2.5.5.2).
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let difference = match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                u128::from(base.to_bits() ^ address.to_bits())
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => base.to_bits() ^ address.to_bits(),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
        };
        let host_bits = width(self.base) - self.prefix;
        difference.checked_shr(host_bits).unwrap_or(0) == 0
    }
}

/// Returns the number of bits of an address.
fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use ipnet::IpNet;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_its_own_network() {
        for text in ["10.0.0.1", "::1"] {
            let network = Network::parse(text).unwrap();
            assert!(network.contains(text.parse().unwrap()), "{text}");
        }
        let one = Network::parse("10.0.0.1").unwrap();
        assert!(!one.contains("10.0.0.2".parse().unwrap()));
        assert!(one.contains("::ffff:10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn other_text_is_not_a_network() {
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
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }

    /// Flips one bit of an address, or none if there is no such bit.
    fn near(base: IpAddr, bit: u32) -> IpAddr {
        match base {
            IpAddr::V4(base) => {
                let flip = 1_u32.checked_shl(bit).unwrap_or(0);
                Ipv4Addr::from_bits(base.to_bits() ^ flip).into()
            }
            IpAddr::V6(base) => {
                let flip = 1_u128.checked_shl(bit).unwrap_or(0);
                Ipv6Addr::from_bits(base.to_bits() ^ flip).into()
            }
        }
    }

    proptest! {
        #[test]
        fn networks_agree_with_ipnet(base: IpAddr, prefix in 0..130_u8, other: IpAddr, bit in 0..130_u32) {
            // The gateway converts IPv4-mapped addresses, and ipnet does not.
            prop_assume!(base == base.to_canonical() && other == other.to_canonical());
            let text = format!("{base}/{prefix}");
            let network = Network::parse(&text);
            let expected: Option<IpNet> = text.parse().ok();
            prop_assert_eq!(network.is_some(), expected.is_some());
            if let (Some(network), Some(expected)) = (network, expected) {
                for address in [base, other, near(base, bit)] {
                    prop_assert_eq!(network.contains(address), expected.contains(&address));
                }
            }
        }
    }
}
