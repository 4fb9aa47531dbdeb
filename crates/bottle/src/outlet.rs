use std::io;
use std::net::SocketAddr;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};

/// A bottle's only way out: what its programs connect to arrives here, in the host's session process.
///
/// Services see only this, never a bottle. Dropping the outlet closes the way out; the bottle then reaches nothing.
#[async_trait]
pub trait Outlet: Send {
    /// Waits for the next arrival. Safe to cancel.
    ///
    /// # Errors
    /// When the bottle is gone; nothing arrives afterwards.
    async fn accept(&mut self) -> Result<Arrival, OutletError>;
}

/// Something that left a bottle and waits for a decision.
pub enum Arrival {
    /// A connection.
    Stream {
        /// Where the program in the bottle wanted to connect to.
        destination: Destination,
        /// The connection itself.
        stream: Box<dyn ByteStream>,
    },
    /// One datagram; only DNS (port 53) arrives.
    Datagram {
        /// Where the program in the bottle sent it.
        destination: Destination,
        /// Its payload, at most 65,507 bytes.
        payload: Vec<u8>,
        /// Sends one datagram back.
        reply: Box<dyn Reply>,
    },
}

/// What a program in the bottle wanted to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// The explicit proxy, `127.0.0.1:3128` in every bottle: the request says where it wants to go.
    Proxy,
    /// An address, by a program that knows nothing of a proxy.
    Transparent(SocketAddr),
}

/// A connection's bytes, both ways.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// Answers one datagram.
#[async_trait]
pub trait Reply: Send {
    /// Sends `payload` to whoever sent the datagram.
    ///
    /// # Errors
    /// When the bottle is gone.
    async fn send(self: Box<Self>, payload: &[u8]) -> io::Result<()>;
}

/// Why nothing arrives any more.
#[derive(Debug, thiserror::Error)]
pub enum OutletError {
    /// The bottle was closed.
    #[error("the bottle is gone")]
    Gone,
    /// The system refused; the caller may try again.
    #[error("accepting from the bottle: {0}")]
    Io(#[from] io::Error),
}
