use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use policy::{Host, Reach, Table};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional_with_sizes};

use crate::ledger::Ledger;
use crate::state::Shared;

/// Bytes that are copied at once, each way.
const BUFFER: usize = 32 * 1024;

/// An upgraded connection to the world, waiting for the bottle's side to be upgraded too.
pub(crate) struct Splice {
    pub(crate) upstream: OnUpgrade,
    pub(crate) ledger: Ledger,
    pub(crate) host: Host,
    pub(crate) port: u16,
}

impl Splice {
    /// Joins the two sides until one ends, or a table comes that does not let the bottle reach the host.
    pub(crate) async fn run(self: Box<Self>, shared: &Shared, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let Self { upstream, ledger, host, port } = *self;
        if let Ok(upstream) = upstream.await {
            let holds = |table: &Table| match table.reach(&host, port) {
                Reach::Intercept(_) => true,
                Reach::Passthrough(_) | Reach::Refuse(_) => false,
            };
            splice(shared, Counted::new(stream), Counted::new(TokioIo::new(upstream)), ledger, holds).await;
        }
    }
}

/// Copies both ways until both sides have ended, or `holds` does not hold any more.
pub(super) async fn splice<A, B>(
    shared: &Shared,
    mut inner: Counted<A>,
    mut outer: Counted<B>,
    ledger: Ledger,
    holds: impl Fn(&Table) -> bool,
) where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    let _joined = Joined { ledger, sent: inner.count(), received: outer.count(), failed: Arc::clone(&outer.failed) };
    tokio::select! {
        _ = copy_bidirectional_with_sizes(&mut inner, &mut outer, BUFFER, BUFFER) => {}
        () = shared.until_refused(holds) => {}
    }
}

/// Two sides that are joined, for the record: it is true also of those that a session's end finds open.
struct Joined {
    ledger: Ledger,
    sent: Arc<AtomicU64>,
    received: Arc<AtomicU64>,
    /// Whether the other end broke off. How the bottle ends it is its own affair.
    failed: Arc<AtomicBool>,
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.ledger.sent().fetch_add(self.sent.load(Ordering::Relaxed), Ordering::Relaxed);
        self.ledger.received(usize::try_from(self.received.load(Ordering::Relaxed)).unwrap_or(usize::MAX));
        match self.failed.load(Ordering::Relaxed) {
            true => self.ledger.broken(),
            false => self.ledger.complete(),
        }
    }
}

/// Counts what is read, and notes an error, so that both are there however the copying ends.
pub(super) struct Counted<S> {
    inner: S,
    read: Arc<AtomicU64>,
    failed: Arc<AtomicBool>,
}

impl<S> Counted<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner, read: Arc::default(), failed: Arc::default() }
    }

    fn count(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }

    fn noted<T>(&self, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(_)) = done {
            self.failed.store(true, Ordering::Relaxed);
        }
        done
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match ready!(Pin::new(&mut self.inner).poll_read(cx, buf)) {
            // TLS without its last word (RFC 8446 §6.1). Programs leave it out, and what runs inside says by itself where it ends.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Poll::Ready(Ok(())),
            read => ready!(self.noted(Poll::Ready(read)))?,
        }
        self.read.fetch_add((buf.filled().len() - before) as u64, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.noted(done)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.inner).poll_flush(cx);
        self.noted(done)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.noted(done)
    }
}
