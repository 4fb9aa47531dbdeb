//! The sockets on which a bottle meets its way out: the same ports as on every backend.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

use crate::{Way, sys};

/// Where the explicit proxy is (`HTTP_PROXY`), on 127.0.0.1.
const PROXY: u16 = 3128;
/// Where names are asked for.
const DNS: u16 = 53;
/// SSH, DNS over TCP, HTTP, HTTPS on every address. On all other ports the kernel itself refuses.
const TRANSPARENT: [u16; 4] = [22, DNS, 80, 443];

/// All of them, open.
pub struct Listeners {
    /// For connections.
    pub streams: Vec<TcpListener>,
    /// For questions about names.
    pub datagrams: Option<UdpSocket>,
}

impl Listeners {
    /// Opens them. One that somebody else holds is an error: a bottle whose way out leads elsewhere does not start.
    pub fn open(way: Way) -> io::Result<Self> {
        let mut streams = vec![listener(SocketAddr::from((Ipv4Addr::LOCALHOST, PROXY)))?];
        let mut datagrams = None;
        if way == Way::Transparent {
            for port in TRANSPARENT {
                streams.push(on_every_address(port)?);
            }
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, DNS))?;
            socket.set_nonblocking(true)?;
            sys::ask_for_destination(&socket)?;
            datagrams = Some(socket);
        }
        Ok(Self { streams, datagrams })
    }
}

/// One socket takes both families (`ipv6(7)`, IPV6_V6ONLY off); where there is no IPv6, one of IPv4.
fn on_every_address(port: u16) -> io::Result<TcpListener> {
    match listener(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))) {
        // EAFNOSUPPORT, EADDRNOTAVAIL
        Err(error) if matches!(error.raw_os_error(), Some(97 | 99)) => listener(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))),
        opened => opened,
    }
}

fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
    let listener = TcpListener::bind(address).map_err(|error| match error.raw_os_error() {
        Some(97 | 99) => error,
        Some(_) | None => named(error),
    })?;
    listener.set_nonblocking(true)?;
    sys::keep_little(&listener)?;
    Ok(listener)
}
