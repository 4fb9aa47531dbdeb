//! The header before everything that is handed over (HAProxy's PROXY protocol, version 2, §2.2).

use std::net::{IpAddr, SocketAddr};

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Version 2, command PROXY.
const VERSION_AND_COMMAND: u8 = 0x21;

/// What is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A connection.
    Stream,
    /// A datagram.
    Datagram,
}

/// The bytes of the header. An IPv4 address in IPv6's dress is taken out of it.
pub fn proxy_header(transport: Transport, source: SocketAddr, destination: SocketAddr) -> Vec<u8> {
    let (from, to) = (source.ip().to_canonical(), destination.ip().to_canonical());
    let kind = match transport {
        Transport::Stream => 1,
        Transport::Datagram => 2,
    };
    let mut bytes = SIGNATURE.to_vec();
    bytes.push(VERSION_AND_COMMAND);
    let (family, addresses) = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => (0x10, [from.octets().as_slice(), &to.octets()].concat()),
        (from, to) => (0x20, [v6(from), v6(to)].concat()),
    };
    bytes.push(family | kind);
    let length = u16::try_from(addresses.len() + 4).unwrap_or(36);
    bytes.extend(length.to_be_bytes());
    bytes.extend(addresses);
    bytes.extend(source.port().to_be_bytes());
    bytes.extend(destination.port().to_be_bytes());
    bytes
}

fn v6(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Transport, proxy_header};

    #[test]
    fn the_reader_of_the_contract_reads_it() {
        for (transport, expected) in [
            (Transport::Stream, bottle::proxy_header::Transport::Stream),
            (Transport::Datagram, bottle::proxy_header::Transport::Datagram),
        ] {
            for (source, destination, canonical) in [
                ("127.0.0.1:40000", "198.18.0.7:443", "198.18.0.7:443"),
                ("[::1]:40000", "[2001:db8::7]:80", "[2001:db8::7]:80"),
                ("[::ffff:127.0.0.1]:40000", "[::ffff:203.0.113.7]:22", "203.0.113.7:22"),
                ("127.0.0.1:40000", "[2001:db8::7]:80", "[2001:db8::7]:80"),
            ] {
                let bytes = proxy_header(transport, source.parse().unwrap(), destination.parse().unwrap());
                let header = bottle::proxy_header::parse(&bytes).unwrap().unwrap();
                assert_eq!((header.length, header.transport), (bytes.len(), expected));
                assert_eq!((header.source.port(), header.destination.to_string().as_str()), (40000, canonical));
            }
        }
    }
}
