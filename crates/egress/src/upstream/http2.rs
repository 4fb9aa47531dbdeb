use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::header::HOST;
use http::uri::{Authority, InvalidUriParts, Parts, PathAndQuery, Scheme};
use http::{Request, Response, Uri, Version};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;

use super::boot_clock::BootTime;
use super::tasks::Tasks;
use crate::RequestBody;

/// One HTTP/2 connection: many requests at once.
pub(super) struct Http2 {
    sender: SendRequest<RequestBody>,
    streams: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    used: BootTime,
}

/// One request's place on a connection, until its answer has been read or given up.
#[derive(Debug)]
pub(super) struct Stream(Arc<AtomicUsize>);

/// What the other end may send before it is read: per stream, and per connection (RFC 9113 §5.2). 2 MB keep a line of
/// 160 Mbit/s and 100 ms busy.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;
const FRAME_MAX: u32 = 64 << 10;
/// What a request's body may have waiting to be sent on one stream.
const SEND_BUFFER: usize = 512 << 10;
/// Most bytes of an answer's head, as RFC 9113 §6.5.2 counts them.
const HEAD_MAX: u32 = 256 << 10;
/// Streams on one connection, even where the other end would take more: they share one window.
const STREAMS_MAX: usize = 256;
/// With requests open and nothing heard for so long, the other end is asked whether it lives; after a machine has slept, or
/// moved to another network, nothing else tells that it does not.
const PING: Duration = Duration::from_secs(30);
const PONG: Duration = Duration::from_secs(20);

impl Http2 {
    /// Begins to speak HTTP/2 over `io`; tasks drive the connection and keep `place` until it ends.
    pub(super) async fn open<T>(io: T, tasks: &Tasks, place: OwnedSemaphorePermit) -> hyper::Result<Self>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, mut connection) = Builder::new(tasks.clone())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(FRAME_MAX)
            .max_header_list_size(HEAD_MAX)
            .max_send_buf_size(SEND_BUFFER)
            .keep_alive_interval(PING)
            .keep_alive_timeout(PONG)
            .handshake(TokioIo::new(io))
            .await?;
        let most = Arc::new(AtomicUsize::new(connection.current_max_send_streams()));
        let told = Arc::clone(&most);
        tasks.spawn(async move {
            // Polled for every request, so that the other end's latest word on its streams counts for the next one.
            let _ = poll_fn(|cx| {
                let polled = Pin::new(&mut connection).poll(cx);
                told.store(connection.current_max_send_streams(), Ordering::Relaxed);
                polled
            })
            .await;
            drop(place);
        });
        Ok(Self { sender, streams: Arc::default(), most, used: BootTime::now() })
    }

    /// Whether a request can be begun on it at once.
    pub(super) fn is_free(&self) -> bool {
        // Zero is a word that some servers say for a moment; then a request waits on this connection rather than open others.
        let most = self.most.load(Ordering::Relaxed).clamp(1, STREAMS_MAX);
        !self.is_closed() && self.streams.load(Ordering::Relaxed) < most
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Whether no request is on it.
    pub(super) fn is_idle(&self) -> bool {
        self.streams.load(Ordering::Relaxed) == 0
    }

    /// When its last request was begun.
    pub(super) fn used(&self) -> BootTime {
        self.used
    }

    /// Begins a request. The future holds no part of the connection; dropping it gives the stream up. The place is to be
    /// kept as long as the answer is being read.
    pub(super) fn begin(
        &mut self,
        request: Request<RequestBody>,
        now: BootTime,
    ) -> (impl Future<Output = Result<Response<Incoming>, TrySendError<Request<RequestBody>>>> + use<>, Stream) {
        self.used = now;
        self.streams.fetch_add(1, Ordering::Relaxed);
        let stream = Stream(Arc::clone(&self.streams));
        (self.sender.try_send_request(request), stream)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Gives `request` the form that it has in HTTP/2 (RFC 9113 §8.3.1): scheme, authority and path in the target, no `Host`.
pub(super) fn address(request: &mut Request<RequestBody>, authority: Authority) -> Result<(), InvalidUriParts> {
    let mut parts = Parts::default();
    parts.scheme = Some(Scheme::HTTPS);
    parts.authority = Some(authority);
    parts.path_and_query = Some(request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")));
    *request.uri_mut() = Uri::from_parts(parts)?;
    *request.version_mut() = Version::HTTP_2;
    request.headers_mut().remove(HOST);
    Ok(())
}
