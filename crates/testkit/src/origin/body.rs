use std::io;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::feed::Frames;
use super::journal::Entry;

/// How much a stream sends at once.
const PIECE: usize = 64 * 1024;
static PATTERN: LazyLock<Bytes> = LazyLock::new(|| (0..PIECE).map(|at| (at % 251) as u8).collect());

/// A request's body, noted while it passes.
pub(super) struct Noted {
    body: Incoming,
    entry: Entry,
    done: bool,
}

/// An answer's body.
pub(super) enum Sent {
    /// All at once, with trailers after it.
    Whole(Option<Bytes>, Option<HeaderMap>),
    /// So many bytes of a pattern that repeats, with their number told before or not.
    Pattern { left: u64, told: bool },
    /// Fewer bytes than were told, then the end of the connection.
    Short { sent: bool, bytes: Bytes, told: u64 },
    /// Piece by piece.
    Frames(Frames),
    /// The request's own.
    Echo(Noted),
}

impl Noted {
    pub(super) fn new(body: Incoming, entry: Entry) -> Self {
        Self { body, entry, done: false }
    }

    /// Reads to the end.
    pub(super) async fn drain(mut self) {
        while let Some(Ok(_)) = std::future::poll_fn(|context| Pin::new(&mut self).poll_frame(context)).await {}
    }
}

impl Body for Noted {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                self.done = true;
                self.entry.broken();
                return Poll::Ready(Some(Err(io::Error::other(error))));
            }
            None => {
                if !std::mem::replace(&mut self.done, true) {
                    self.entry.ended();
                }
                return Poll::Ready(None);
            }
        };
        if let Some(data) = frame.data_ref() {
            self.entry.data(data);
        } else if let Some(trailers) = frame.trailers_ref() {
            self.entry.trailers(trailers.clone());
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(match &mut *self {
            Self::Whole(bytes, trailers) => {
                let data = bytes.take().filter(|bytes| !bytes.is_empty()).map(Frame::data);
                data.or_else(|| trailers.take().map(Frame::trailers)).map(Ok)
            }
            Self::Pattern { left: 0, .. } => None,
            Self::Pattern { left, .. } => {
                let piece = PIECE.min(usize::try_from(*left).unwrap_or(PIECE));
                *left -= piece as u64;
                Some(Ok(Frame::data(PATTERN.slice(..piece))))
            }
            Self::Short { sent: true, .. } => Some(Err(io::Error::other("ends early, as the test wants it"))),
            Self::Short { sent, bytes, .. } => {
                *sent = true;
                Some(Ok(Frame::data(bytes.clone())))
            }
            Self::Frames(frames) => ready!(frames.poll_recv(context)),
            Self::Echo(body) => ready!(Pin::new(body).poll_frame(context)),
        })
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            // A length would leave no place for trailers in HTTP/1.1 (RFC 9112, section 7.1.2).
            Self::Whole(bytes, None) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Pattern { left, told: true } => SizeHint::with_exact(*left),
            Self::Short { told, .. } => SizeHint::with_exact(*told),
            Self::Echo(body) => body.size_hint(),
            Self::Whole(_, Some(_)) | Self::Pattern { told: false, .. } | Self::Frames(_) => SizeHint::default(),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes, trailers) => bytes.as_ref().is_none_or(Bytes::is_empty) && trailers.is_none(),
            Self::Pattern { left, .. } => *left == 0,
            Self::Short { .. } | Self::Frames(_) | Self::Echo(_) => false,
        }
    }
}
