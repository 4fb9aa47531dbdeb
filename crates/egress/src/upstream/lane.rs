use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::uri::Authority;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use policy::Transport;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::Failure;
use super::again::Again;
use super::boot_clock::BootTime;
use super::http1::{self, Http1};
use super::http2::{self, Hearing, Http2, Stream};
use super::no_answer::unwritable;
use super::target::Target;
use super::way::Way;
use crate::RequestBody;

/// The connections to one target by one way, and what is known of it.
pub(super) struct Lane {
    pub(super) target: Target,
    pub(super) way: Way,
    /// Held while a connection is opened to a target that may speak HTTP/2, so that a burst of requests opens one.
    pub(super) opening: Semaphore,
    host: HeaderValue,
    authority: Authority,
    state: Mutex<State>,
}

struct State {
    http1: Vec<Http1>,
    http2: Vec<Http2>,
    speaks: Speaks,
    failed: Option<(Instant, Failure)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    NotKnown,
    Http1,
    Http2,
}

/// A connection that was just opened.
pub(super) enum Opened {
    Http1(Http1),
    Http2(Http2),
}

/// Which connection a request is begun on.
pub(super) enum On {
    /// Any that is free.
    Kept,
    /// Any that is free and was opened after a request on another had failed: what ended that one may have ended its
    /// contemporaries.
    OpenedSince(BootTime),
    /// This one, which is kept.
    Fresh(Opened),
}

/// A request that is on its way, or still waits for a connection.
pub(super) enum Begun<A, B> {
    Http1(A, Option<Again>),
    Http2(B, Stream, Option<Again>),
    Waits(Box<Request<RequestBody>>),
}

/// What became of a request: an answer, or an error and, if nothing of it was sent, the request.
pub(super) type Sent = Result<Response<Incoming>, TrySendError<Request<RequestBody>>>;

/// After how long without a request a server may be about to close an HTTP/1.1 connection; the shortest times in use are 2 s.
const QUIET: Duration = Duration::from_secs(1);
/// HTTP/1.1 connections that are kept without a request on them.
const IDLE_MAX: usize = 64;

impl Lane {
    /// # Errors
    /// When the target's name cannot be written into a request.
    pub(super) fn new(target: Target, way: Way) -> Result<Self, Failure> {
        let text = target.authority();
        let (Ok(host), Ok(authority)) = (HeaderValue::from_str(&text), Authority::try_from(text.as_str())) else {
            return Err(unwritable(&target));
        };
        let speaks = match target.transport {
            Transport::Plain => Speaks::Http1,
            Transport::Tls => Speaks::NotKnown,
        };
        let state = Mutex::new(State { http1: Vec::new(), http2: Vec::new(), speaks, failed: None });
        Ok(Self { target, way, opening: Semaphore::new(1), host, authority, state })
    }

    /// Begins `request`, if there is a connection for it.
    ///
    /// # Errors
    /// When the request cannot be written down.
    pub(super) fn begin(
        &self,
        mut request: Request<RequestBody>,
        on: On,
        idle: Duration,
    ) -> Result<Begun<impl Future<Output = Sent> + use<>, impl Future<Output = Sent> + use<>>, Failure> {
        let now = BootTime::now();
        let mut state = self.state();
        let state = &mut *state;
        let kept = matches!(on, On::Kept);
        let (http1, http2) = match on {
            On::Kept => state.free(now, idle, None),
            On::OpenedSince(failed) => state.free(now, idle, Some(failed)),
            On::Fresh(Opened::Http1(connection)) => (Some(state.keep_http1(connection)), None),
            On::Fresh(Opened::Http2(connection)) => (None, Some(state.keep_http2(connection))),
        };
        if let Some(connection) = http2 {
            http2::address(&mut request, self.authority.clone()).map_err(|_| unwritable(&self.target))?;
            // Whatever the time: a server that ends a connection (nginx after 1,000 requests) drops those that cross its word.
            let again = if kept { Again::of(&request) } else { None };
            let (answer, stream) = connection.begin(request, now);
            return Ok(Begun::Http2(answer, stream, again));
        }
        if let Some(connection) = http1 {
            http1::address(&mut request, self.host.clone()).map_err(|_| unwritable(&self.target))?;
            let again = if kept && now.since(connection.used()) > QUIET { Again::of(&request) } else { None };
            return Ok(Begun::Http1(connection.begin(request, now), again));
        }
        Ok(Begun::Waits(Box::new(request)))
    }

    /// Whether connections are opened one after the other.
    pub(super) fn opens_in_turn(&self) -> bool {
        match self.state().speaks {
            Speaks::NotKnown | Speaks::Http2 => true,
            Speaks::Http1 => false,
        }
    }

    /// What must be waited for before it is clear whether a connection takes another request.
    pub(super) fn unheard(&self) -> Option<Hearing> {
        self.state().http2.iter().find_map(Http2::unheard)
    }

    /// Remembers that no connection could be had, for those who waited for it.
    pub(super) fn failed(&self, failure: Failure) {
        self.state().failed = Some((Instant::now(), failure));
    }

    /// Why no connection could be had by an attempt that ended after `asked`.
    pub(super) fn failed_since(&self, asked: Instant) -> Option<Failure> {
        let state = self.state();
        state.failed.as_ref().filter(|(at, _)| *at > asked).map(|(_, failure)| failure.clone())
    }

    /// Closes what has been idle for longer than `idle` or is more than is kept. Whether any connection is left.
    pub(super) fn sweep(&self, now: BootTime, idle: Duration) -> bool {
        let mut state = self.state();
        let mut kept = 0;
        state.http1.retain(|connection| {
            let free = connection.is_free();
            kept += usize::from(free);
            let is_old = free && (kept > IDLE_MAX || now.since(connection.used()) > idle);
            !connection.is_closed() && !is_old
        });
        state.http2.retain(|connection| {
            let is_old = connection.is_idle() && now.since(connection.used()) > idle;
            !connection.is_closed() && !is_old
        });
        !state.http1.is_empty() || !state.http2.is_empty()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A connection on which a request can be begun at once; forgets those that are closed.
    fn free(&mut self, now: BootTime, idle: Duration, since: Option<BootTime>) -> (Option<&mut Http1>, Option<&mut Http2>) {
        let is_new = |opened| since.is_none_or(|since| opened > since);
        if !self.http2.is_empty() {
            self.http2.retain(|connection| !connection.is_closed());
            if let Some(connection) = self.http2.iter_mut().find(|connection| connection.is_free() && is_new(connection.opened()))
            {
                return (None, Some(connection));
            }
        }
        // The first that is free: those behind it are used in busy times alone, and grow old enough to be closed after them.
        let mut at = 0;
        while let Some(connection) = self.http1.get(at) {
            if connection.is_closed() || (connection.is_free() && now.since(connection.used()) > idle) {
                self.http1.remove(at);
            } else if connection.is_free() && is_new(connection.opened()) {
                return (self.http1.get_mut(at), None);
            } else {
                at += 1;
            }
        }
        (None, None)
    }

    fn keep_http1(&mut self, connection: Http1) -> &mut Http1 {
        self.speaks = Speaks::Http1;
        let at = self.http1.len();
        self.http1.push(connection);
        &mut self.http1[at]
    }

    fn keep_http2(&mut self, connection: Http2) -> &mut Http2 {
        self.speaks = Speaks::Http2;
        let at = self.http2.len();
        self.http2.push(connection);
        &mut self.http2[at]
    }
}
