//! The header in front of a connection that a relay hands over: who connected, and where to (HAProxy's PROXY protocol,
//! version 2, §2.2).
//!
//! Outlets that a relay feeds read it; the relay may run beside the agent, so every byte of it is the agent's word. It can lie
//! about the source, which nobody uses, and choose the destination, which is what a connection does anyway.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProxyHeader {
    /// Bytes of the header; what follows is the connection's own.
    pub length: usize,
    /// What was connected or sent.
    pub transport: Transport,
    /// Who connected.
    pub source: SocketAddr,
    /// Where to. An IPv4 address in IPv6's dress is taken out of it: it is the same destination, and has one spelling.
    pub destination: SocketAddr,
}

/// What was connected or sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Stream,
    /// UDP.
    Datagram,
}

/// Why bytes are no header that can be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyHeaderError {
    /// It begins otherwise.
    #[error("no PROXY header of version 2: its first 12 bytes are others")]
    Signature,
    /// Another version of the protocol.
    #[error("a PROXY header of version {0} instead of 2")]
    Version(u8),
    /// Not `PROXY` (1): a connection of the relay's own (`LOCAL`, 0) leads nowhere.
    #[error("a PROXY header with command {0}, which names no destination")]
    Command(u8),
    /// Not TCP or UDP over IPv4 or IPv6.
    #[error("a PROXY header for family and transport {0:#04x}, which is neither TCP nor UDP over IP")]
    Family(u8),
    /// Too little for the addresses of its family, or more than [`MAX`].
    #[error("a PROXY header that says it has {0} bytes of addresses")]
    Length(usize),
}

/// Most bytes of a header: what a receiver of the protocol is expected to take at least (§2.2), and more than any relay of ours
/// sends. Threat: a header that never ends is memory.
pub const MAX: usize = 536;

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const FIXED: usize = 16;
const INET: u8 = 1;

/// Reads the header that a connection begins with; `None` while some of it is missing. What stands between the addresses and
/// its end (TLVs) is passed over. Total: any bytes give an answer, and [`MAX`] bytes never leave it open.
///
/// # Errors
/// As soon as the bytes that are there cannot become a header with a destination.
pub fn parse(bytes: &[u8]) -> Result<Option<ProxyHeader>, ProxyHeaderError> {
    let seen = bytes.len().min(SIGNATURE.len());
    if bytes[..seen] != SIGNATURE[..seen] {
        return Err(ProxyHeaderError::Signature);
    }
    let Some(fixed) = bytes.first_chunk::<FIXED>() else { return Ok(None) };
    match (fixed[12] >> 4, fixed[12] & 0xf) {
        (2, 1) => {}
        (2, command) => return Err(ProxyHeaderError::Command(command)),
        (version, _) => return Err(ProxyHeaderError::Version(version)),
    }
    let transport = match fixed[13] {
        0x11 | 0x21 => Transport::Stream,
        0x12 | 0x22 => Transport::Datagram,
        other => return Err(ProxyHeaderError::Family(other)),
    };
    let said = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    let (length, family) = (FIXED + said, fixed[13] >> 4);
    let wanted = if family == INET { 12 } else { 36 };
    if said < wanted || length > MAX {
        return Err(ProxyHeaderError::Length(said));
    }
    let Some(addresses) = bytes.get(FIXED..length) else { return Ok(None) };
    let pair = if family == INET { inet(addresses) } else { inet6(addresses) };
    let (source, destination) = pair.ok_or(ProxyHeaderError::Length(said))?;
    Ok(Some(ProxyHeader { length, transport, source, destination }))
}

fn inet(bytes: &[u8]) -> Option<(SocketAddr, SocketAddr)> {
    let (source, rest) = bytes.split_first_chunk::<4>()?;
    let (destination, rest) = rest.split_first_chunk::<4>()?;
    Some(with_ports(Ipv4Addr::from(*source).into(), Ipv4Addr::from(*destination).into(), *rest.first_chunk()?))
}

fn inet6(bytes: &[u8]) -> Option<(SocketAddr, SocketAddr)> {
    let (source, rest) = bytes.split_first_chunk::<16>()?;
    let (destination, rest) = rest.split_first_chunk::<16>()?;
    Some(with_ports(Ipv6Addr::from(*source).to_canonical(), Ipv6Addr::from(*destination).to_canonical(), *rest.first_chunk()?))
}

fn with_ports(source: IpAddr, destination: IpAddr, [a, b, c, d]: [u8; 4]) -> (SocketAddr, SocketAddr) {
    (SocketAddr::new(source, u16::from_be_bytes([a, b])), SocketAddr::new(destination, u16::from_be_bytes([c, d])))
}

#[cfg(test)]
#[path = "proxy_header_tests.rs"]
mod tests;
