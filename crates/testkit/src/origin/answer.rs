use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::feed::{Fed, Feed};
use super::gate::Gate;
use super::journal::Recorded;
use super::websocket::WebSocket;

/// What an origin answers.
pub struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) content: Content,
    pub(super) gate: Option<Gate>,
}

pub(super) enum Content {
    Whole(Bytes, Option<HeaderMap>),
    Pattern { bytes: u64, told: bool },
    Short { bytes: Bytes, told: u64 },
    Fed(Fed),
    Echo,
    After(Box<dyn FnOnce(&Recorded) -> Answer + Send>),
    Talk(Arc<dyn Fn(WebSocket) -> Talking + Send + Sync>),
}

pub(super) type Talking = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Answer {
    /// Bytes of a known length.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self::of(Content::Whole(bytes.into(), None))
    }

    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::bytes(text.into()).header("content-type", "text/plain")
    }

    /// JSON.
    pub fn json(value: &serde_json::Value) -> Self {
        Self::bytes(value.to_string()).header("content-type", "application/json")
    }

    /// Nothing but a status.
    pub fn empty(status: u16) -> Self {
        Self::bytes("").status(status)
    }

    /// The request's own body, as it arrives, with its trailers.
    pub fn echo() -> Self {
        Self::of(Content::Echo)
    }

    /// So many bytes of a pattern, with a `Content-Length`. Takes no memory, whatever their number.
    pub fn pattern(bytes: u64) -> Self {
        Self::of(Content::Pattern { bytes, told: true })
    }

    /// [`Answer::pattern`] without a length: chunked in HTTP/1.1.
    pub fn chunked(bytes: u64) -> Self {
        Self::of(Content::Pattern { bytes, told: false })
    }

    /// Announces `told` bytes, sends `bytes`, and ends the connection.
    pub fn short(bytes: impl Into<Bytes>, told: u64) -> Self {
        Self::of(Content::Short { bytes: bytes.into(), told })
    }

    /// A body that the test sends piece by piece. One request gets it; for further ones it is empty.
    pub fn fed() -> (Feed, Self) {
        let (feed, fed) = Feed::new();
        (feed, Self::of(Content::Fed(fed)))
    }

    /// Server-sent events (WHATWG HTML, section 9.2) that the test sends.
    pub fn events() -> (Feed, Self) {
        let (feed, answer) = Self::fed();
        (feed, answer.header("content-type", "text/event-stream").header("cache-control", "no-store"))
    }

    /// Reads the request's body to its end first.
    pub fn after(answer: impl FnOnce(&Recorded) -> Self + Send + 'static) -> Self {
        Self::of(Content::After(Box::new(answer)))
    }

    /// Reads the body and tells how many bytes it had, and their SHA-256: `{"len": 3, "sha256": "…"}`.
    pub fn sink() -> Self {
        Self::after(|request| {
            let hash = request.body.sha256.as_ref().map(|hash| data_encoding::HEXLOWER.encode(hash));
            Self::json(&serde_json::json!({ "len": request.body.len, "sha256": hash }))
        })
    }

    /// Becomes a WebSocket (RFC 6455); a request that asks for none gets 426.
    pub fn websocket<F>(talk: impl Fn(WebSocket) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::of(Content::Talk(Arc::new(move |socket| Box::pin(talk(socket)))))
    }

    /// Sends the client elsewhere.
    pub fn redirect(to: &str) -> Self {
        Self::empty(302).header("location", to)
    }

    /// With this status.
    pub fn status(mut self, status: u16) -> Self {
        self.status = StatusCode::from_u16(status).unwrap();
        self
    }

    /// With one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
        self
    }

    /// With trailers. Only for [`Answer::bytes`] and what is made of it.
    pub fn trailer(mut self, name: &str, value: &str) -> Self {
        match &mut self.content {
            Content::Whole(_, trailers) => {
                let name = HeaderName::try_from(name).unwrap();
                self.headers.append(header::TRAILER, HeaderValue::try_from(name.as_str()).unwrap());
                trailers.get_or_insert_default().append(name, HeaderValue::try_from(value).unwrap());
            }
            Content::Pattern { .. }
            | Content::Short { .. }
            | Content::Fed(_)
            | Content::Echo
            | Content::After(_)
            | Content::Talk(_) => panic!("this answer has no trailers of its own"),
        }
        self
    }

    /// Says nothing, not even a head, until the gate opens.
    pub fn behind(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    fn of(content: Content) -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), content, gate: None }
    }
}
