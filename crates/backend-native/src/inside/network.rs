//! The bottle's network: a loopback on which every address is local, and our listeners on it.
//!
//! The listeners are opened here, inside the namespace, and handed to the session: a socket stays in the namespace it was
//! made in, so the session accepts what the bottle connects to, and dials from the host. There is no other interface.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, ipproto, listen, socket_with, sockopt};

use super::netlink::{self, Family};
use crate::ports::{DNS, PROXY, TRANSPARENT};
use crate::sys;
use helper::step::{During, StepError};

/// Longest queue of connections that wait to be accepted, each of which the kernel may keep bytes for.
const BACKLOG: i32 = 1024;
/// What the kernel may keep for a connection in each direction, in bytes (`socket(7)`: it takes twice as much, for its own needs).
/// Connections inherit it, those in the queue too. Threat: connections that are filled and not read, each up to 4 MiB (`tcp_wmem` in
/// `tcp(7)`) of memory that no limit of the bottle counts.
const KEPT: usize = 208 << 10;

/// The sockets for the session, and their ports in the same order: TCP ones, then the UDP one.
pub struct Listeners {
    /// Ports, in the order of `sockets`.
    pub ports: Vec<u16>,
    /// TCP listeners, then one UDP socket.
    pub sockets: Vec<OwnedFd>,
}

/// Brings the loopback up, routes everything to it and opens the listeners. Nothing of the bottle runs yet, so nobody can
/// have taken a port first.
pub fn prepare() -> Result<Listeners, StepError> {
    netlink::loopback_up().during("bringing the loopback up")?;
    netlink::second_address().during("giving the loopback a second address")?;
    netlink::everything_is_local(Family::V4).during("routing every address to the outlet")?;
    let v6 = match netlink::everything_is_local(Family::V6) {
        Ok(()) => true,
        // A kernel without IPv6: then nothing can be reached over it either.
        Err(error)
            if matches!(
                Errno::from_io_error(&error),
                Some(Errno::OPNOTSUPP | Errno::AFNOSUPPORT | Errno::ACCESS | Errno::NODEV)
            ) =>
        {
            false
        }
        Err(error) => return Err(error).during("routing every IPv6 address to the outlet"),
    };
    let mut listeners = Listeners { ports: Vec::new(), sockets: Vec::new() };
    let proxy = SocketAddr::from((Ipv4Addr::LOCALHOST, PROXY));
    listeners.add(proxy, listener(proxy)?);
    for port in TRANSPARENT {
        // One socket takes both families (`ipv6(7)`, IPV6_V6ONLY off).
        let any =
            if v6 { SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)) } else { SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)) };
        listeners.add(any, listener(any)?);
    }
    let dns = SocketAddr::from((Ipv4Addr::UNSPECIFIED, DNS));
    listeners.add(dns, resolver(dns)?);
    Ok(listeners)
}

impl Listeners {
    fn add(&mut self, address: SocketAddr, socket: OwnedFd) {
        self.ports.push(address.port());
        self.sockets.push(socket);
    }
}

fn listener(address: SocketAddr) -> Result<OwnedFd, StepError> {
    let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let open = || {
        let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, Some(ipproto::TCP))?;
        if address.is_ipv6() {
            sockopt::set_ipv6_v6only(&socket, false)?;
        }
        sockopt::set_socket_send_buffer_size(&socket, KEPT)?;
        sockopt::set_socket_recv_buffer_size(&socket, KEPT)?;
        bind(&socket, &address)?;
        listen(&socket, BACKLOG)?;
        Ok::<_, Errno>(socket)
    };
    open().during_with(|| format!("listening on {address}"))
}

fn resolver(address: SocketAddr) -> Result<OwnedFd, StepError> {
    let open = || {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, flags, Some(ipproto::UDP))?;
        sys::ask_for_destination(socket.as_fd())?;
        bind(&socket, &address)?;
        Ok::<_, std::io::Error>(socket)
    };
    open().during_with(|| format!("receiving on {address}"))
}
