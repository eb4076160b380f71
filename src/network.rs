//! Ranges of addresses, as `10.0.0.1` or `10.0.0.0/8` name them.
//!
//! Notation: RFC 4632, section 3.1, and RFC 4291, section 2.3.

use std::net::IpAddr;

/// A range of addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix: u32,
}

impl Network {
    /// Reads an address, or an address and the length of a prefix in bits. None
    /// for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse().ok()?)),
            None => (text, None),
        };
        let base: IpAddr = address.parse().ok()?;
        let prefix = prefix.unwrap_or(width(base));
        (prefix <= width(base)).then_some(Self { base, prefix })
    }

    /// Tells whether an address lies in the range. An IPv4 address that is
    /// written as an IPv6 one (RFC 4291, section 2.5.5.2) counts as itself.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let differing = |left: u128, right: u128, width: u32| {
            let kept = width - self.prefix;
            (left ^ right).checked_shr(kept).unwrap_or(0) == 0
        };
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => differing(
                base.to_bits().into(),
                address.to_bits().into(),
                width(self.base),
            ),
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                differing(base.to_bits(), address.to_bits(), width(self.base))
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// Returns how many bits an address has.
fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_the_addresses_that_begin_like_it() {
        for (range, address, inside) in [
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("10.0.0.1", "::ffff:10.0.0.1", true),
            ("10.1.2.3/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/31", "10.0.0.1", true),
            ("10.0.0.0/31", "10.0.0.2", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::1", "::1", true),
        ] {
            let network = Network::parse(range).unwrap();
            assert_eq!(
                network.contains(address.parse().unwrap()),
                inside,
                "{address} in {range}"
            );
        }
    }

    #[test]
    fn anything_else_is_no_range() {
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
}
