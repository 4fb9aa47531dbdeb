use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

use crate::answer::{AnswerBody, BodyError};
use crate::in_flight::Turn;

/// A request's place among those that a bottle may have open at once.
pub(crate) type Open = Arc<OwnedSemaphorePermit>;

/// An answer's body as the server writes it: its bytes are in flight, and over HTTP/2 its request is open until they are written.
///
/// Threat: an answer whose body has ended is one that the server keeps, head and all, for as long as the client does not read. So
/// the end is a piece of its own, without a byte, that the server drops when it has written it.
pub(crate) struct Written {
    body: AnswerBody,
    turn: Turn,
    end: Option<Open>,
}

/// What the last piece holds.
struct End(#[allow(dead_code, reason = "held, not read")] Open);

impl Written {
    /// `end`, where a server writes several answers at once.
    pub(crate) fn new(body: AnswerBody, turn: Turn, end: Option<Open>) -> Self {
        Self { body, turn, end }
    }
}

impl Body for Written {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Self { body, turn, end } = &mut *self;
        Poll::Ready(match ready!(turn.poll_frame(body, cx)) {
            None => end.take().map(|open| Ok(Frame::data(Bytes::from_owner(End(open))))),
            Some(frame) => {
                // Nothing may follow trailers.
                if frame.as_ref().is_ok_and(Frame::is_trailers) {
                    *end = None;
                }
                Some(frame)
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.end.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl AsRef<[u8]> for End {
    fn as_ref(&self) -> &[u8] {
        &[]
    }
}
