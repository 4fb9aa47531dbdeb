use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::Connection;
use super::tasks::{EndTasks, Tasks};
use crate::opening::Prefixed;
use crate::{Limits, request};

/// What a stream, and a connection, may send ahead of being read.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 2 << 20;
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
    let http = builder(tasks.0.clone(), limits).serve_connection(TokioIo::new(stream), service);
    tokio::pin!(http);
    tokio::select! {
        biased;
        _ = &mut http => return,
        _ = connection.gate.activity.overdue(limits) => {}
    }
    http.as_mut().graceful_shutdown();
    let _ = timeout(FAREWELL, http).await;
}

/// Extended CONNECT (RFC 8441) is not offered: WebSocket clients then use HTTP/1.1.
fn builder(tasks: Tasks, limits: &Limits) -> http2::Builder<Tasks> {
    let mut builder = http2::Builder::new(tasks);
    builder
        .auto_date_header(false)
        .max_concurrent_streams(limits.streams)
        // Threat: HPACK bombs (CVE-2016-6581): the bound is on the decoded list.
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(STREAM_WINDOW as usize)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(RESETS);
    builder
}
