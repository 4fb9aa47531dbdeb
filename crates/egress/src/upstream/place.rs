use std::io;
use std::sync::Arc;

use rustix::net::sockopt;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The connections to the world that one bottle may have open, some of which may have much under way: a window that suits one
/// long and fast line, times all connections, would be gigabytes that a bottle makes its session and the kernel hold.
pub(super) struct Places {
    all: Arc<Semaphore>,
    ample: Arc<Semaphore>,
}

/// One of them, for as long as it is open.
pub(super) struct Place {
    _one: OwnedSemaphorePermit,
    pub(super) share: Share,
}

/// How much a connection may have under way, for as long as it is open.
#[derive(Debug)]
pub struct Share(Option<OwnedSemaphorePermit>);

/// Connections that may have much under way.
const AMPLE: usize = 8;
/// What the kernel may keep for a connection beyond those, in bytes and each direction (`socket(7)`: it takes twice as much, for its
/// own needs); else it is up to 6 MiB (`tcp_rmem`, `tcp_wmem` in `tcp(7)`).
const SCANT: usize = 128 << 10;

impl Places {
    pub(super) fn new(connections: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(connections)), ample: Arc::new(Semaphore::new(AMPLE)) }
    }

    /// A place, if one is free.
    pub(super) fn try_take(&self) -> Option<Place> {
        Arc::clone(&self.all).try_acquire_owned().ok().map(|one| self.place(one))
    }

    /// A place, once one is free.
    pub(super) async fn take(&self) -> Option<Place> {
        Arc::clone(&self.all).acquire_owned().await.ok().map(|one| self.place(one))
    }

    /// The share of a connection that takes no place, because it belongs to one of the bottle's own.
    pub(super) fn share(&self) -> Share {
        Share(Arc::clone(&self.ample).try_acquire_owned().ok())
    }

    fn place(&self, one: OwnedSemaphorePermit) -> Place {
        Place { _one: one, share: self.share() }
    }

    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.all.available_permits()
    }
}

impl Share {
    /// Whether the connection may have much under way.
    pub(super) fn is_ample(&self) -> bool {
        self.0.is_some()
    }

    /// Has the kernel keep no more for `stream` than that.
    ///
    /// # Errors
    /// Those of `setsockopt(2)`.
    pub(super) fn bound(&self, stream: &TcpStream) -> io::Result<()> {
        if !self.is_ample() {
            sockopt::set_socket_recv_buffer_size(stream, SCANT)?;
            sockopt::set_socket_send_buffer_size(stream, SCANT)?;
        }
        Ok(())
    }
}
