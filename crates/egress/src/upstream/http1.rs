use std::future::Future;

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TE, TRANSFER_ENCODING};
use http::uri::InvalidUri;
use http::{HeaderValue, Request, Response, Version};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::boot_clock::BootTime;
use super::place::Place;
use super::target::path_and_query;
use super::tasks::Tasks;
use crate::RequestBody;

/// One HTTP/1.1 connection: one request at a time.
pub(super) struct Http1 {
    sender: SendRequest<RequestBody>,
    opened: BootTime,
    used: BootTime,
}

/// Most bytes of an answer's head. Threat: a host that never ends its head fills the memory of the session.
const HEAD_MAX: usize = 64 * 1024;
/// Most bytes that are read at once, by a connection that may have much under way, and by any further one. The buffer begins
/// small and grows with what arrives.
const BUFFER_MAX: usize = 400 * 1024;
const SCANT_BUFFER_MAX: usize = 64 * 1024;

/// Whether the connection may end as one of another protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Upgrades {
    Refused,
    Allowed,
}

impl Http1 {
    /// Begins to speak HTTP/1.1 over `io`; a task drives the connection and keeps `place` until it ends.
    pub(super) async fn open<T>(io: T, tasks: &Tasks, place: Place, upgrades: Upgrades) -> hyper::Result<Self>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let buffer = if place.share.is_ample() { BUFFER_MAX } else { SCANT_BUFFER_MAX };
        let (sender, connection) =
            Builder::new().max_buf_size(buffer).max_header_size(HEAD_MAX).handshake(TokioIo::new(io)).await?;
        // How a connection ended is told to the request on it; one without a request just ends.
        match upgrades {
            Upgrades::Refused => tasks.spawn(async move {
                let _ = connection.await;
                drop(place);
            }),
            Upgrades::Allowed => tasks.spawn(async move {
                let _ = connection.with_upgrades().await;
                drop(place);
            }),
        }
        Ok(Self { sender, opened: BootTime::now(), used: BootTime::now() })
    }

    /// Whether a request can be begun on it at once.
    pub(super) fn is_free(&self) -> bool {
        self.sender.is_ready()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    pub(super) fn opened(&self) -> BootTime {
        self.opened
    }

    /// When its last request was begun.
    pub(super) fn used(&self) -> BootTime {
        self.used
    }

    /// Begins a request. The future holds no part of the connection; dropping it closes the connection.
    pub(super) fn begin(
        &mut self,
        request: Request<RequestBody>,
        now: BootTime,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<RequestBody>>>> + use<> {
        self.used = now;
        self.sender.try_send_request(request)
    }
}

/// Gives `request` the form that it has in HTTP/1.1: the target's path and query alone (RFC 9112 §3.2.1), the host in `Host`.
/// `host` replaces what the request said, so that no two places can disagree. A body without a length is announced as chunked.
pub(super) fn address(request: &mut Request<RequestBody>, host: HeaderValue) -> Result<(), InvalidUri> {
    *request.uri_mut() = path_and_query(request.uri())?.into();
    *request.version_mut() = Version::HTTP_11;
    request.headers_mut().insert(HOST, host);
    // The library leaves a body of unknown length out where the method seldom has one (GET, HEAD), unless the head announces it.
    let is_open = !request.body().is_end_stream() && request.body().size_hint().exact().is_none();
    if is_open && !request.headers().contains_key(CONTENT_LENGTH) {
        request.headers_mut().insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    if request.headers().contains_key(TE) {
        // RFC 9110 §10.1.4: it is of one connection, and has to say so.
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("TE"));
    }
    Ok(())
}
