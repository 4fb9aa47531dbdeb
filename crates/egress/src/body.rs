use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderName;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::in_flight::Turn;
use crate::request::headers;

/// The body of a request on its way out: streamed, counted, never collected.
pub struct RequestBody {
    source: Source,
    sent: Arc<AtomicU64>,
}

enum Source {
    /// From the bottle, with the names of headers that the rule depends on.
    Streamed(Incoming, Turn, Vec<HeaderName>),
    /// All of it.
    Whole(Option<Bytes>),
}

impl RequestBody {
    /// What the bottle sends; the bytes of its data are added to `sent` as they pass. No trailer has one of `named`.
    pub(crate) fn streamed(incoming: Incoming, turn: Turn, sent: Arc<AtomicU64>, named: Vec<HeaderName>) -> Self {
        Self { source: Source::Streamed(incoming, turn, named), sent }
    }

    /// A body that is there already.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { source: Source::Whole((!bytes.is_empty()).then_some(bytes)), sent: Arc::default() }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Self { source, sent } = &mut *self;
        let (incoming, turn, named) = match source {
            Source::Streamed(incoming, turn, named) => (incoming, turn, named),
            Source::Whole(bytes) => return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
        };
        let frame = match ready!(turn.poll_frame(incoming, cx)) {
            Some(Ok(frame)) => frame,
            end @ (Some(Err(_)) | None) => return Poll::Ready(end),
        };
        if let Some(data) = frame.data_ref() {
            sent.fetch_add(data.len() as u64, Ordering::Relaxed);
            return Poll::Ready(Some(Ok(frame)));
        }
        Poll::Ready(frame.into_trailers().ok().map(|mut trailers| {
            headers::strip_trailers(&mut trailers, named);
            Ok(Frame::trailers(trailers))
        }))
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Streamed(incoming, ..) => incoming.is_end_stream(),
            Source::Whole(bytes) => bytes.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Streamed(incoming, ..) => incoming.size_hint(),
            Source::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
        }
    }
}
