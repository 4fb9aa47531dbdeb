use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::Shown;

/// A block of addresses that a route may reach although they are private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr(IpNet);

/// Why a text is no such block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CidrError {
    /// Neither a block nor an address.
    #[error("`{shown}` is not a block of addresses: write it as `10.1.0.0/16`, `fd00:1::/64` or a single address", shown = Shown(.0))]
    NotABlock(String),
    /// Bits beyond the prefix are set: which was meant?
    #[error("`{shown}` has bits set beyond its prefix: write `{block}` for the block, or the address alone", shown = Shown(.text))]
    HostBits {
        /// The text.
        text: String,
        /// The block that it lies in.
        block: String,
    },
    /// So wide that it would switch the protection of private addresses off.
    #[error("`{shown}` is too wide: at least /8 (IPv4) or /7 (IPv6), so that one route cannot open every private network", shown = Shown(.0))]
    TooWide(String),
}

impl Cidr {
    /// Parses a block in CIDR notation (RFC 4632 §3.1), or a single address.
    ///
    /// # Errors
    /// When it is none, or wider than /8 (IPv4) or /7 (IPv6).
    pub fn parse(text: &str) -> Result<Self, CidrError> {
        let net = match (text.parse::<IpNet>(), text.parse::<IpAddr>()) {
            (Ok(net), _) => net,
            (Err(_), Ok(address)) => IpNet::from(address),
            (Err(_), Err(_)) => return Err(CidrError::NotABlock(text.to_owned())),
        };
        if net.trunc() != net {
            return Err(CidrError::HostBits { text: text.to_owned(), block: net.trunc().to_string() });
        }
        let widest = if net.addr().is_ipv4() { 8 } else { 7 };
        if net.prefix_len() < widest {
            return Err(CidrError::TooWide(text.to_owned()));
        }
        Ok(Self(net))
    }

    /// Whether `address` lies in the block.
    pub fn contains(&self, address: &IpAddr) -> bool {
        self.0.contains(address)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cidr, CidrError};

    #[test]
    fn blocks_and_single_addresses() {
        for (text, shown) in [
            ("10.1.0.0/16", "10.1.0.0/16"),
            ("192.168.7.9", "192.168.7.9/32"),
            ("fd00::1", "fd00::1/128"),
            ("fc00::/7", "fc00::/7"),
        ] {
            assert_eq!(Cidr::parse(text).unwrap().to_string(), shown);
        }
        assert!(Cidr::parse("10.0.0.0/8").unwrap().contains(&"10.9.9.9".parse().unwrap()));
    }

    #[test]
    fn refuses_the_unclear_and_the_too_wide() {
        assert!(matches!(Cidr::parse("10.0.0.1/8"), Err(CidrError::HostBits { block, .. }) if block == "10.0.0.0/8"));
        for wide in ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1"] {
            assert!(matches!(Cidr::parse(wide), Err(CidrError::TooWide(_))), "{wide}");
        }
        for bad in ["", "10.0.0.0/33", "example.org", "10.0.0", "10.0.0.0/08x"] {
            assert!(matches!(Cidr::parse(bad), Err(CidrError::NotABlock(_))), "{bad}");
        }
    }
}
