use std::net::{IpAddr, SocketAddr};

use crate::Shown;

/// Why a text is no address to dial.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// No address and port.
    #[error("`{shown}` is not an address and port: write `127.0.0.1:8443` or `[fd00::1]:8443`; names are looked up by `host` alone", shown = Shown(.0))]
    NotAnAddress(String),
    /// An address that no connection can be made to, or that stands for another.
    #[error("`{shown}` cannot be connected to: {why}", shown = Shown(.text))]
    Unusable {
        /// The text.
        text: String,
        /// Why.
        why: &'static str,
    },
}

/// Parses `ADDRESS:PORT` of a route's `dial`.
///
/// # Errors
/// When it is anything but one address that a connection can be made to, in its canonical spelling, and a port from 1.
pub fn parse_dial(text: &str) -> Result<SocketAddr, DialError> {
    let Ok(parsed) = text.parse::<SocketAddr>() else { return Err(DialError::NotAnAddress(text.to_owned())) };
    // An IPv4 address dressed as IPv6 is the same destination and must not be a second spelling of it.
    let dial = SocketAddr::new(parsed.ip().to_canonical(), parsed.port());
    let scoped = matches!(parsed, SocketAddr::V6(v6) if v6.scope_id() != 0);
    let broadcast = matches!(dial.ip(), IpAddr::V4(v4) if v4.is_broadcast());
    let why = if dial.port() == 0 {
        "port 0 does not exist"
    } else if scoped {
        "it names an interface"
    } else if dial.ip().is_unspecified() {
        "it stands for this machine; write `127.0.0.1` or `[::1]`"
    } else if dial.ip().is_multicast() || broadcast {
        "it stands for many machines"
    } else {
        return Ok(dial);
    };
    Err(DialError::Unusable { text: text.to_owned(), why })
}

#[cfg(test)]
mod tests {
    use super::parse_dial;

    #[test]
    fn one_address_in_one_spelling() {
        for (text, shown) in [
            ("127.0.0.1:8443", "127.0.0.1:8443"),
            ("[::1]:443", "[::1]:443"),
            ("[::ffff:10.0.0.1]:1", "10.0.0.1:1"),
            ("[FD00::0:1]:65535", "[fd00::1]:65535"),
        ] {
            assert_eq!(parse_dial(text).unwrap().to_string(), shown);
        }
        for bad in [
            "",
            "127.0.0.1",
            "localhost:80",
            "127.1:80",
            "0x7f.0.0.1:80",
            "::1:80",
            "127.0.0.1:65536",
            "127.0.0.1:",
            "127.0.0.1:0",
            "0.0.0.0:80",
            "[::]:80",
            "224.0.0.1:80",
            "255.255.255.255:80",
            "[ff02::1]:80",
            "[fe80::1%2]:80",
            " 127.0.0.1:80",
        ] {
            assert!(parse_dial(bad).is_err(), "{bad}");
        }
    }
}
