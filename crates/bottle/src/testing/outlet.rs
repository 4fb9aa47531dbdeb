use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use async_trait::async_trait;
use rustix::net::SendFlags;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::{Arrival, Destination, Outlet, OutletError, Reply};

/// A fake bottle's way out.
#[derive(Debug)]
pub struct FakeOutlet(pub(super) UnboundedReceiver<Parcel>);

/// What is on its way out.
#[derive(Debug)]
pub(super) enum Parcel {
    Stream { destination: Destination, socket: OwnedFd },
    Datagram { destination: Destination, payload: Vec<u8>, reply: OwnedFd },
}

#[async_trait]
impl Outlet for FakeOutlet {
    async fn accept(&mut self) -> Result<Arrival, OutletError> {
        match self.0.recv().await {
            None => Err(OutletError::Gone),
            Some(Parcel::Stream { destination, socket }) => {
                let stream = tokio::net::UnixStream::from_std(UnixStream::from(socket))?;
                Ok(Arrival::Stream { destination, stream: Box::new(stream) })
            }
            Some(Parcel::Datagram { destination, payload, reply }) => {
                Ok(Arrival::Datagram { destination, payload, reply: Box::new(FakeReply(reply)) })
            }
        }
    }
}

struct FakeReply(OwnedFd);

#[async_trait]
impl Reply for FakeReply {
    async fn send(self: Box<Self>, payload: &[u8]) -> io::Result<()> {
        rustix::net::send(&self.0, payload, SendFlags::NOSIGNAL)?;
        Ok(())
    }
}
