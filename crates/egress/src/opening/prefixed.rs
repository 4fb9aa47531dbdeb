use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// A stream of which some bytes were read ahead; whoever reads gets them first. Costs one comparison once they are gone.
pub(crate) struct Prefixed<S> {
    ahead: Bytes,
    ended: End,
    inner: S,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    NotSeen,
    Seen,
}

impl<S> Prefixed<S> {
    pub(crate) fn new(ahead: Bytes, inner: S) -> Self {
        Self { ahead, ended: End::NotSeen, inner }
    }

    /// Whether nothing was read ahead.
    pub(crate) fn is_untouched(&self) -> bool {
        self.ahead.is_empty()
    }

    /// Whether the other end was seen to stop before it had sent anything.
    pub(crate) fn is_closed(&self) -> bool {
        self.ahead.is_empty() && self.ended == End::Seen
    }

    /// Puts bytes back that were read from this stream.
    pub(crate) fn unread(&mut self, bytes: Bytes) {
        if self.ahead.is_empty() {
            self.ahead = bytes;
        } else if !bytes.is_empty() {
            let mut joined = BytesMut::from(bytes);
            joined.extend_from_slice(&self.ahead);
            self.ahead = joined.freeze();
        }
    }
}

impl<S: AsyncRead + Unpin> Prefixed<S> {
    /// Looks at what comes, without consuming it, until `judge` has an answer or `max` bytes are there; with the bytes so
    /// far, and whether the other end has stopped.
    ///
    /// # Errors
    /// When reading fails. The other end's close is none: `judge` is told.
    pub(crate) async fn peek<T>(&mut self, max: usize, mut judge: impl FnMut(&[u8], More) -> Option<T>) -> io::Result<Option<T>> {
        let mut read = BytesMut::from(std::mem::take(&mut self.ahead));
        let answer = loop {
            if let Some(answer) = judge(&read, More::MayCome) {
                break Ok(Some(answer));
            }
            if read.len() >= max {
                break Ok(judge(&read, More::Never));
            }
            read.reserve(1024);
            match self.inner.read_buf(&mut read).await {
                Ok(0) => {
                    self.ended = End::Seen;
                    break Ok(judge(&read, More::Never));
                }
                Ok(_) => {}
                Err(error) => break Err(error),
            }
        };
        self.ahead = read.freeze();
        answer
    }
}

/// Whether more bytes can follow those that are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum More {
    /// They can.
    MayCome,
    /// The other end has stopped, or the bound is reached.
    Never,
}

impl<S: AsyncRead + Unpin> AsyncRead for Prefixed<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return Pin::new(&mut self.inner).poll_read(cx, buf);
        }
        let count = self.ahead.len().min(buf.remaining());
        buf.put_slice(&self.ahead[..count]);
        self.ahead.advance(count);
        if self.ahead.is_empty() {
            // Lets go of the memory.
            self.ahead = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Prefixed<S> {
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
