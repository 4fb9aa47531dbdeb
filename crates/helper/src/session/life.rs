use std::io;
use std::os::fd::OwnedFd;

use tokio::io::unix::AsyncFd;

/// A bottle's life, seen from the session: when it is over, and the means to end it.
pub struct Life {
    over: AsyncFd<OwnedFd>,
    end: Box<dyn Fn(&OwnedFd) + Send + Sync>,
}

impl Life {
    /// `over` becomes readable when everything in the bottle is gone (a pidfd of its PID 1, for instance); `end`, which gets the
    /// same descriptor, makes that happen.
    ///
    /// # Errors
    /// When the descriptor cannot be watched.
    pub fn new(over: OwnedFd, end: impl Fn(&OwnedFd) + Send + Sync + 'static) -> io::Result<Self> {
        Ok(Self { over: crate::sys::watch(over, tokio::io::Interest::READABLE)?, end: Box::new(end) })
    }

    /// Waits until everything is gone. Safe to cancel, and to call again.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub async fn ended(&self) -> io::Result<()> {
        self.over.readable().await.map(drop)
    }

    /// Ends everything inside, without waiting.
    pub fn end(&self) {
        (self.end)(self.over.get_ref());
    }
}
