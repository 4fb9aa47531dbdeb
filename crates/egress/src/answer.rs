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
                    match &frame {
                        Err(_) => ledger.broken(),
                        Ok(_) if is_over(incoming) => ledger.complete(),
                        Ok(_) => {}
                    }
                    Some(frame)
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

/// Most bytes of an answer's trailers, as RFC 9113 §6.5.2 counts them. Threat: they end an answer, so that its request is no longer
/// counted, and a server keeps them for as long as the client does not read.
const TRAILERS_MAX: usize = 8 * 1024;

fn counted(frame: Frame<Bytes>, ledger: &mut Ledger) -> Result<Frame<Bytes>, BodyError> {
    if let Some(data) = frame.data_ref() {
        ledger.received(data.len());
        return Ok(frame);
    }
    let Ok(mut trailers) = frame.into_trailers() else { return Err("an answer's frame is neither data nor trailers".into()) };
    headers::strip_trailers_of_answer(&mut trailers);
    let size = trailers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum::<usize>();
    match size {
        0..=TRAILERS_MAX => Ok(Frame::trailers(trailers)),
        _ => Err("the answer's trailers are too large".into()),
    }
}
