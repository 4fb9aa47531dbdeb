use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

pub(super) type Frames = UnboundedReceiver<Result<Frame<Bytes>, io::Error>>;

/// The test's end of a body that it sends piece by piece. Dropping it ends the body.
#[derive(Debug, Clone)]
pub struct Feed(UnboundedSender<Result<Frame<Bytes>, io::Error>>);

/// The answer's end, for one request.
#[derive(Debug, Clone)]
pub(super) struct Fed(Arc<Mutex<Option<Frames>>>);

impl Feed {
    pub(super) fn new() -> (Self, Fed) {
        let (sender, receiver) = unbounded_channel();
        (Self(sender), Fed(Arc::new(Mutex::new(Some(receiver)))))
    }

    /// Sends bytes. Without effect when nobody reads any more.
    pub fn send(&self, bytes: impl Into<Bytes>) {
        let _ = self.0.send(Ok(Frame::data(bytes.into())));
    }

    /// Sends one event of a stream (WHATWG HTML, section 9.2.5).
    pub fn event(&self, data: &str) {
        self.send(format!("data: {data}\n\n"));
    }

    /// Sends the trailers; nothing may follow.
    pub fn trailers(&self, trailers: HeaderMap) {
        let _ = self.0.send(Ok(Frame::trailers(trailers)));
    }

    /// Ends the connection in the middle of the body.
    pub fn break_off(&self) {
        let _ = self.0.send(Err(io::Error::other("broken off by the test")));
    }

    /// Whether the other end reads no more.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Waits until the other end reads no more.
    pub async fn closed(&self) {
        self.0.closed().await;
    }
}

impl Fed {
    pub(super) fn take(&self) -> Option<Frames> {
        self.0.lock().unwrap().take()
    }
}
