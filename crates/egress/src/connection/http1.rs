use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use policy::Code;
use tokio::io::{AsyncRead, AsyncWrite};

use super::activity::Overdue;
use super::linger::{linger, say};
use super::{Connection, Next};
use crate::framing::{Bounds, Guard, Violation};
use crate::opening::Prefixed;
use crate::records::Refused;
use crate::refusal;
use crate::request;

/// Serves HTTP/1 until the connection ends or becomes something else; then with the stream, closed already if it ended.
pub(super) async fn http1<S>(stream: Prefixed<S>, connection: &Arc<Connection>) -> (Prefixed<S>, Next)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let limits = &connection.shared.limits;
    let bounds = Bounds { bytes: limits.head_bytes, fields: limits.headers };
    let guard = Guard::new(stream, bounds, Arc::clone(&connection.gate));
    let service = service_fn(|request| {
        let connection = Arc::clone(connection);
        // Boxed because hyper gives the stream back only where the future may be moved.
        Box::pin(async move { Ok::<_, Infallible>(request::answer(&connection, request).await) })
    });
    let mut http = builder(limits.head_bytes, limits.headers).serve_connection(TokioIo::new(guard), service);
    let end = tokio::select! {
        biased;
        end = poll_fn(|cx| http.poll_without_shutdown(cx)) => End::Server(end),
        overdue = connection.gate.activity.overdue(limits) => End::Overdue(overdue),
    };
    let was_answering = connection.gate.activity.is_busy();
    let parts = http.into_parts();
    let mut stream = parts.io.into_inner().into_inner();
    let next = connection.take_next();
    match (&next, &end) {
        (Next::Tunnel(_) | Next::Splice(_), End::Server(Ok(()))) => {
            stream.unread(parts.read_buf);
            return (stream, next);
        }
        (Next::Close | Next::Tunnel(_) | Next::Splice(_), _) => {}
    }
    match last_words(connection, &end) {
        // In the middle of an answer more words would be taken for a part of it.
        Some(words) if !was_answering => say(&mut stream, &words).await,
        Some(_) | None => linger(&mut stream).await,
    }
    (stream, Next::Close)
}

enum End {
    Server(hyper::Result<()>),
    Overdue(Overdue),
}

fn builder(head_bytes: usize, headers: usize) -> http1::Builder {
    /// As many headers hyper reads without allocating for them.
    const FREE: usize = 100;
    /// The guard gives up first, so that every refusal is ours: the server would say no more than a status.
    const ABOVE_THE_GUARD: usize = 8 * 1024;
    let mut builder = http1::Builder::new();
    builder.auto_date_header(false).max_buf_size(head_bytes.max(64 * 1024) + ABOVE_THE_GUARD);
    if headers > FREE {
        builder.max_headers(headers);
    }
    builder
}

/// What is still to be told when a connection ends: the answer to a message that no server could answer.
fn last_words(connection: &Connection, end: &End) -> Option<Vec<u8>> {
    let violation = match (connection.gate.violation(), end) {
        (Some(violation), _) => Some(violation),
        (None, End::Overdue(Overdue::Head)) => Some(Violation::TooSlow),
        (None, End::Server(_) | End::Overdue(Overdue::Idle)) => None,
    };
    let refusal = match (violation, end) {
        (Some(violation), _) => violated(violation),
        // Nothing is known that the guard lets through and hyper refuses; it would have answered it already, with a bare 400.
        (None, End::Server(Err(error))) if error.is_parse() => {
            refusal::because(Code::BadRequest, format!("the request is malformed: {error}"))
        }
        (None, _) => return None,
    };
    if connection.gate.tell() {
        let destination = &connection.destination;
        connection.shared.records.refused(Refused { refusal: &refusal, destination, kind: "http", asked: String::new() });
        violation.map(|_| refusal::raw(&refusal))
    } else {
        None
    }
}

/// A violation as a refusal.
pub(crate) fn violated(violation: Violation) -> policy::Refusal {
    let code = match violation {
        Violation::TooLarge => Code::TooLarge,
        Violation::LineEnd
        | Violation::Control
        | Violation::RequestLine
        | Violation::Target
        | Violation::Fragment
        | Violation::Folded
        | Violation::FieldName
        | Violation::Length
        | Violation::Encoding
        | Violation::Host
        | Violation::Chunk
        | Violation::Trailer
        | Violation::ConnectBody
        | Violation::TooSlow => Code::BadRequest,
    };
    refusal::because(code, format!("the request is malformed: {violation}"))
}
