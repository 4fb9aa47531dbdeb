use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, HOST};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::request::headers;

/// The body of a request on its way out: streamed, counted, never collected.
pub struct RequestBody {
    source: Source,
    sent: Arc<AtomicU64>,
}

enum Source {
    /// From the bottle.
    Streamed(Incoming),
    /// All of it.
    Whole(Option<Bytes>),
}

impl RequestBody {
    /// What the bottle sends; the bytes of its data are added to `sent` as they pass.
    pub(crate) fn streamed(incoming: Incoming, sent: Arc<AtomicU64>) -> Self {
        Self { source: Source::Streamed(incoming), sent }
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
        let frame = match &mut self.source {
            Source::Streamed(incoming) => ready!(Pin::new(incoming).poll_frame(cx)),
            Source::Whole(bytes) => bytes.take().map(|bytes| Ok(Frame::data(bytes))),
        };
        let Some(Ok(frame)) = frame else { return Poll::Ready(frame) };
        if let Some(data) = frame.data_ref() {
            self.sent.fetch_add(data.len() as u64, Ordering::Relaxed);
            return Poll::Ready(Some(Ok(frame)));
        }
        Poll::Ready(frame.into_trailers().ok().map(|trailers| Ok(Frame::trailers(harmless(trailers)))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Streamed(incoming) => incoming.is_end_stream(),
            Source::Whole(bytes) => bytes.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Streamed(incoming) => incoming.size_hint(),
            Source::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
        }
    }
}

/// Threat: some servers merge trailers into the headers, so that a credential, a host or a length in a trailer would count
/// after the headers were judged (RFC 9110 §6.5.1).
fn harmless(mut trailers: HeaderMap) -> HeaderMap {
    headers::strip_hop_by_hop(&mut trailers);
    headers::strip_credentials(&mut trailers);
    trailers.remove(HOST);
    trailers.remove(CONTENT_LENGTH);
    trailers
}
