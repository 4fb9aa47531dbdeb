use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Bounds, Framing, Violation};
use crate::connection::Activity;

/// A stream whose reader sees only well-framed HTTP/1 requests: at the first violation reading fails, and [`Gate::violation`]
/// tells which it was.
pub(crate) struct Guard<S> {
    inner: S,
    framing: Framing,
    gate: Arc<Gate>,
}

/// What a guard and those behind it tell each other.
#[derive(Default)]
pub(crate) struct Gate {
    open: AtomicBool,
    violation: Mutex<Option<Violation>>,
    told: AtomicBool,
    pub(crate) activity: Activity,
}

impl Gate {
    /// From here on the bytes are no HTTP. Called before the answer that says so leaves, so that the first bytes of the new
    /// protocol meet an open gate.
    pub(crate) fn open(&self) {
        self.open.store(true, Ordering::Release);
    }

    /// What was violated.
    pub(crate) fn violation(&self) -> Option<Violation> {
        *self.violation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this is the first to tell of the violation: it is recorded once.
    pub(crate) fn tell(&self) -> bool {
        !self.told.swap(true, Ordering::AcqRel)
    }

    fn violated(&self, violation: Violation) -> io::Error {
        *self.violation.lock().unwrap_or_else(PoisonError::into_inner) = Some(violation);
        io::Error::new(io::ErrorKind::InvalidData, violation)
    }
}

impl<S> Guard<S> {
    pub(crate) fn new(inner: S, bounds: Bounds, gate: Arc<Gate>) -> Self {
        Self { inner, framing: Framing::new(bounds), gate }
    }

    pub(crate) fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        let this = &mut *self;
        if this.gate.open.load(Ordering::Acquire) {
            this.framing.open();
        }
        if let Err(violation) = this.framing.feed(&buf.filled()[before..]) {
            buf.set_filled(before);
            return Poll::Ready(Err(this.gate.violated(violation)));
        }
        this.gate.activity.head(this.framing.is_in_head());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
