use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::ledger::Ledger;
use crate::request::headers;
use crate::upstream::ResponseBody;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;

/// What goes wrong while a body is streamed.
pub type BodyError = Box<dyn Error + Send + Sync>;

/// The body of an answer into the bottle.
pub(crate) enum AnswerBody {
    /// Our own words.
    Said(Option<Bytes>),
    /// The other end's, as they come.
    Passed(ResponseBody, Ledger),
    /// Those of a service inside.
    Internal(UnsyncBoxBody<Bytes, BodyError>),
}

impl AnswerBody {
    pub(crate) fn said(text: impl Into<Bytes>) -> Self {
        let text = text.into();
        Self::Said((!text.is_empty()).then_some(text))
    }
}

/// Whether nothing more comes: a body of known length is not asked again after its last byte.
pub(crate) fn is_over(body: &ResponseBody) -> bool {
    body.is_end_stream() || body.size_hint().exact() == Some(0)
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut *self {
            Self::Said(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            Self::Internal(body) => Pin::new(body).poll_frame(cx),
            Self::Passed(incoming, ledger) => Poll::Ready(match ready!(Pin::new(&mut *incoming).poll_frame(cx)) {
                None => {
                    ledger.complete();
                    None
                }
                Some(Err(error)) => {
                    ledger.broken();
                    Some(Err(error.into()))
                }
                Some(Ok(frame)) => {
                    let frame = counted(frame, ledger);
                    if is_over(incoming) {
                        ledger.complete();
                    }
                    Some(Ok(frame))
                }
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Said(text) => text.is_none(),
            Self::Internal(body) => body.is_end_stream(),
            Self::Passed(incoming, ..) => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Said(text) => SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64)),
            Self::Internal(body) => body.size_hint(),
            Self::Passed(incoming, ..) => incoming.size_hint(),
        }
    }
}

fn counted(frame: Frame<Bytes>, ledger: &mut Ledger) -> Frame<Bytes> {
    if let Some(data) = frame.data_ref() {
        ledger.received(data.len());
        return frame;
    }
    match frame.into_trailers() {
        Ok(mut trailers) => {
            headers::strip_trailers_of_answer(&mut trailers);
            Frame::trailers(trailers)
        }
        Err(frame) => frame,
    }
}
