use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::http2::Stream;

/// The body of an answer, as it streams in.
#[derive(Debug)]
pub struct ResponseBody {
    incoming: Incoming,
    _stream: Option<Stream>,
}

impl ResponseBody {
    pub(crate) fn of_http1(incoming: Incoming) -> Self {
        Self { incoming, _stream: None }
    }

    pub(super) fn of_http2(incoming: Incoming, stream: Stream) -> Self {
        Self { incoming, _stream: Some(stream) }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.incoming).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
