use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::header::HOST;
use http::uri::{Authority, Parts, Scheme};
use http::{Request, Response, Uri, Version};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::boot_clock::BootTime;
use super::place::Place;
use super::target::path_and_query;
use super::tasks::Tasks;
use crate::RequestBody;

/// One HTTP/2 connection: many requests at once.
pub(super) struct Http2 {
    sender: SendRequest<RequestBody>,
    streams: Arc<AtomicUsize>,
    streams_max: usize,
    most: watch::Receiver<usize>,
    opened: BootTime,
    used: BootTime,
}

/// Tells when a connection's other end has said how many requests it takes at once.
pub(super) struct Hearing(watch::Receiver<usize>);

/// One request's place on a connection, until its answer has been read or given up.
#[derive(Debug)]
pub(super) struct Stream(Arc<AtomicUsize>);

/// What may be under way on a connection. Its window is as wide as those of all its streams together (RFC 9113 §5.2): an answer
/// that nobody reads holds up none beside it.
struct Width {
    /// What the other end may send on one stream before it is read, in bytes.
    window: u32,
    /// Streams, even where the other end would take more.
    streams: u16,
}

/// Keeps a line of 80 Mbit/s and 100 ms busy with one answer.
const AMPLE: Width = Width { window: 1 << 20, streams: 8 };
const SCANT: Width = Width { window: 128 << 10, streams: 32 };
const FRAME_MAX: u32 = 64 << 10;
/// What a request's body may have waiting to be sent on one stream.
const SEND_BUFFER: usize = 512 << 10;
/// Most bytes of an answer's head, as RFC 9113 §6.5.2 counts them.
const HEAD_MAX: u32 = 64 << 10;
/// Stands for the number of streams that the other end takes as long as it has not said it (RFC 9113 §6.5.2); a number that
/// none can say. Until then a connection carries one request: a server refuses streams above its number, and what was sent
/// on them is lost.
const UNHEARD: usize = usize::MAX - 1;
/// With requests open and nothing heard for so long, the other end is asked whether it lives; after a machine has slept, or
/// moved to another network, nothing else tells that it does not.
const PING: Duration = Duration::from_secs(30);
const PONG: Duration = Duration::from_secs(20);

impl Http2 {
    /// Begins to speak HTTP/2 over `io`; tasks drive the connection and keep `place` until it ends.
    pub(super) async fn open<T>(io: T, tasks: &Tasks, place: Place) -> hyper::Result<Self>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let width = if place.share.is_ample() { AMPLE } else { SCANT };
        let (sender, mut connection) = Builder::new(tasks.clone())
            .timer(TokioTimer::new())
            .initial_stream_window_size(width.window)
            .initial_connection_window_size(width.window * u32::from(width.streams))
            .max_frame_size(FRAME_MAX)
            .max_header_list_size(HEAD_MAX)
            .max_send_buf_size(SEND_BUFFER)
            .keep_alive_interval(PING)
            .keep_alive_timeout(PONG)
            .initial_max_send_streams(UNHEARD)
            .handshake(TokioIo::new(io))
            .await?;
        let (tell, most) = watch::channel(UNHEARD);
        tasks.spawn(async move {
            let mut pause = Duration::from_millis(1);
            let mut look_again = pin!(sleep(pause));
            // Polled for every request, so that the other end's latest word on its streams counts for the next one. Nothing
            // tells when its first word comes, so that it is looked for, ever more seldom.
            let _ = poll_fn(|cx| {
                let polled = Pin::new(&mut connection).poll(cx);
                let now = connection.current_max_send_streams();
                tell.send_if_modified(|most| std::mem::replace(most, now) != now);
                while now == UNHEARD && polled.is_pending() && look_again.as_mut().poll(cx).is_ready() {
                    pause *= 2;
                    look_again.as_mut().reset(Instant::now() + pause);
                }
                polled
            })
            .await;
            drop(place);
        });
        let streams_max = usize::from(width.streams);
        Ok(Self { sender, streams: Arc::default(), streams_max, most, opened: BootTime::now(), used: BootTime::now() })
    }

    /// Whether a request can be begun on it at once.
    pub(super) fn is_free(&self) -> bool {
        let most = match *self.most.borrow() {
            UNHEARD => 1,
            // Zero is a word that some servers say for a moment; then a request waits here rather than open others.
            heard => heard.clamp(1, self.streams_max),
        };
        !self.is_closed() && self.streams.load(Ordering::Relaxed) < most
    }

    /// When it is open and its other end has not yet said how many requests it takes: the way to wait for that.
    pub(super) fn unheard(&self) -> Option<Hearing> {
        (!self.is_closed() && *self.most.borrow() == UNHEARD).then(|| Hearing(self.most.clone()))
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Whether no request is on it.
    pub(super) fn is_idle(&self) -> bool {
        self.streams.load(Ordering::Relaxed) == 0
    }

    pub(super) fn opened(&self) -> BootTime {
        self.opened
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

impl Hearing {
    /// Waits until the other end has spoken or is gone.
    pub(super) async fn end(mut self) {
        // Gone is as good as heard: whoever waited looks for another connection.
        let _ = self.0.wait_for(|most| *most != UNHEARD).await;
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Gives `request` the form that it has in HTTP/2 (RFC 9113 §8.3.1): scheme, authority and path in the target, no `Host`.
pub(super) fn address(request: &mut Request<RequestBody>, authority: Authority) -> http::Result<()> {
    let mut parts = Parts::default();
    parts.scheme = Some(Scheme::HTTPS);
    parts.authority = Some(authority);
    parts.path_and_query = Some(path_and_query(request.uri())?);
    *request.uri_mut() = Uri::from_parts(parts)?;
    *request.version_mut() = Version::HTTP_2;
    request.headers_mut().remove(HOST);
    Ok(())
}
