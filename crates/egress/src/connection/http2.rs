use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use policy::Code;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::Connection;
use super::overheard::{Fault, Overheard};
use super::tasks::{EndTasks, Tasks};
use crate::opening::Prefixed;
use crate::records::Refused;
use crate::{Limits, refusal, request};

/// Connections that may have much under way, of all that a bottle has open: bounds on each of 512 would be none on their sum.
pub(crate) const AMPLE: usize = 16;
/// What may be sent ahead of being read on each stream of such a connection, and on all together, in bytes (RFC 9113 §5.2): dozens
/// of uploads that their hosts do not take hold up none beside them. The library lets so many small frames wait as go with the latter.
const WINDOW: u32 = 128 << 10;
const CONNECTION_WINDOW: u32 = 4 << 20;
/// The same of every further connection, and its streams.
const SCANT_WINDOW: u32 = 64 << 10;
const SCANT_CONNECTION_WINDOW: u32 = 512 << 10;
const SCANT_STREAMS: u32 = 16;
/// What of one answer may wait to be written, whatever window the client gives.
const SEND_BUFFER: usize = 256 << 10;
/// Threat: streams opened and reset without end (CVE-2023-44487), counted before and after they are accepted.
const RESETS: usize = 100;
/// How long a connection may take to end in order.
const FAREWELL: Duration = Duration::from_secs(2);

/// Serves HTTP/2 until the connection ends.
pub(super) async fn http2<S>(stream: Prefixed<S>, connection: &Arc<Connection>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let tasks = EndTasks(Tasks::default());
    let service = service_fn({
        let connection = Arc::clone(connection);
        move |request| {
            let connection = Arc::clone(&connection);
            async move { Ok::<_, Infallible>(request::answer(&connection, request).await) }
        }
    });
    let limits = &connection.shared.limits;
    let too_large = Notify::new();
    let stream = Overheard::new(stream, |fault| {
        record(connection, fault);
        if fault == Fault::TooLarge {
            too_large.notify_one();
        }
    });
    let ample = connection.shared.ample.try_acquire();
    let http = builder(tasks.0.clone(), limits, ample.is_ok()).serve_connection(TokioIo::new(stream), service);
    tokio::pin!(http);
    tokio::select! {
        biased;
        _ = &mut http => return,
        () = connection.gate.activity.mocked() => return record(connection, Fault::TooMuch),
        _ = connection.gate.activity.overdue(limits) => {}
        () = too_large.notified() => {}
    }
    http.as_mut().graceful_shutdown();
    let _ = timeout(FAREWELL, http).await;
}

fn record(connection: &Connection, fault: Fault) {
    let (code, what) = match fault {
        Fault::Malformed => (Code::BadRequest, "what was sent breaks the rules of HTTP/2"),
        Fault::TooLarge => (Code::TooLarge, Code::TooLarge.summary()),
        Fault::TooMuch => {
            (Code::Busy, "more is begun on this connection than may be: streams that are given up, or a head that goes on")
        }
    };
    let refusal = refusal::because(code, what.to_owned());
    let destination = &connection.destination;
    connection.shared.records.refused(Refused { refusal: &refusal, destination, kind: "http", asked: String::new() });
}

/// Extended CONNECT (RFC 8441) is not offered: WebSocket clients then use HTTP/1.1.
fn builder(tasks: Tasks, limits: &Limits, is_ample: bool) -> http2::Builder<Tasks> {
    let (window, all, streams) = match is_ample {
        true => (WINDOW, CONNECTION_WINDOW, limits.streams),
        false => (SCANT_WINDOW, SCANT_CONNECTION_WINDOW, limits.streams.min(SCANT_STREAMS)),
    };
    let mut builder = http2::Builder::new(tasks);
    builder
        .auto_date_header(false)
        .max_concurrent_streams(streams)
        // Threat: HPACK bombs (CVE-2016-6581): the bound is on the decoded list. Above it the library answers by itself, with a
        // status alone; it stands at twice our own, so that what is too large by mistake is told so in full.
        .max_header_list_size(u32::try_from(limits.head_bytes.saturating_mul(2)).unwrap_or(u32::MAX))
        .initial_stream_window_size(window)
        .initial_connection_window_size(all)
        .max_send_buf_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(RESETS);
    builder
}
