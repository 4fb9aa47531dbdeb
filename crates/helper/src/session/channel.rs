//! The session's end of an exec channel.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::sys;
use crate::wire::{self, FromExec, ToExec};

/// One packet is one message; its end means that the watching process is gone, and with it the program or the bottle.
#[derive(Debug)]
pub struct Channel(AsyncFd<OwnedFd>);

impl Channel {
    /// A new channel, and the end for the helper.
    pub fn new() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        rustix::io::ioctl_fionbio(&ours, true)?;
        Ok((Self(sys::watch(ours, Interest::READABLE | Interest::WRITABLE)?), theirs))
    }

    /// Waits for the next message; `None` at the end. Safe to cancel.
    pub async fn receive(&self) -> io::Result<Option<(FromExec, Vec<OwnedFd>)>> {
        let next = || self.0.async_io(Interest::READABLE, |fd| wire::receive_packet(fd.as_fd()));
        match next().await {
            // The other side ended without having read our last word. The kernel says that first, once, and only then
            // gives what the other side had said before.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => next().await,
            message => message,
        }
    }

    /// Sends a message. The few there are never fill the socket; one that did not get through is as good as a program gone.
    pub fn send(&self, message: &ToExec) -> io::Result<()> {
        wire::send_packet(self.0.get_ref().as_fd(), message, &[])
    }
}
