use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType, shutdown, socketpair};

use super::interrupt::never_block;
use super::job::Signals;
use super::outlet::Parcel;
use super::world::World;
use crate::Destination;

/// Where the explicit proxy is in every bottle.
const PROXY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 3128);

/// A connection of a program in a fake bottle.
#[derive(Debug)]
pub struct FakeStream {
    socket: OwnedFd,
    signals: Arc<Signals>,
}

pub(super) fn connect(world: &World, signals: &Arc<Signals>, address: SocketAddr) -> io::Result<FakeStream> {
    let destination = match address {
        PROXY => Destination::Proxy,
        own if own.ip().is_loopback() => return Err(io::ErrorKind::ConnectionRefused.into()),
        other => Destination::Transparent(other),
    };
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    never_block(&ours)?;
    never_block(&theirs)?;
    world.send_out(Parcel::Stream { destination, socket: theirs })?;
    Ok(FakeStream { socket: ours, signals: signals.clone() })
}

pub(super) fn ask(world: &World, signals: &Arc<Signals>, address: SocketAddr, payload: &[u8]) -> io::Result<Vec<u8>> {
    if address.port() != 53 {
        return Err(io::ErrorKind::NetworkUnreachable.into());
    }
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    never_block(&ours)?;
    let destination = Destination::Transparent(address);
    world.send_out(Parcel::Datagram { destination, payload: payload.to_owned(), reply: theirs })?;
    let mut answer = vec![0; 65_535];
    match signals.killed.read(ours.as_fd(), &mut answer)? {
        0 => Err(io::ErrorKind::TimedOut.into()),
        length => {
            answer.truncate(length);
            Ok(answer)
        }
    }
}

impl FakeStream {
    /// Sends the end of what is written.
    ///
    /// # Errors
    /// When the other side is gone.
    pub fn finish(&self) -> io::Result<()> {
        Ok(shutdown(&self.socket, Shutdown::Write)?)
    }
}

impl Read for FakeStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.signals.killed.read(self.socket.as_fd(), buffer)
    }
}

impl Write for FakeStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.signals.killed.write_all(self.socket.as_fd(), bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
