use std::convert::Infallible;
use std::sync::Arc;

use http::header::CONTENT_LENGTH;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::answer::{Answer, Content};
use super::body::{Noted, Sent};
use super::journal::{BodySeen, Connected, Entry, Journal, Recorded};
use super::websocket;

pub(super) type Answering = Arc<dyn Fn(&Recorded) -> Answer + Send + Sync>;

pub(super) async fn serve(listener: TcpListener, tls: Option<Arc<ServerConfig>>, journal: Journal, answer: Answering) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let served = connection(stream, tls.clone(), journal.clone(), answer.clone());
        tokio::spawn(served);
    }
}

async fn connection(stream: TcpStream, tls: Option<Arc<ServerConfig>>, journal: Journal, answer: Answering) {
    let _ = stream.set_nodelay(true);
    let number = journal.connected();
    let Some(config) = tls else {
        return http1(stream, number, journal, answer).await;
    };
    match TlsAcceptor::from(config).accept(stream).await {
        Err(error) => journal.shaken(number, Connected { failed: Some(error.to_string()), ..Connected::default() }),
        Ok(stream) => {
            let session = stream.get_ref().1;
            let alpn = session.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
            let is_http2 = alpn.as_deref() == Some("h2");
            journal.shaken(number, Connected { sni: session.server_name().map(str::to_owned), alpn, failed: None });
            if is_http2 { http2(stream, number, journal, answer).await } else { http1(stream, number, journal, answer).await }
        }
    }
}

// How a connection ends is the client's business: what matters stands in the journal.
async fn http1(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, number: usize, journal: Journal, answer: Answering) {
    let service = service_fn(move |request| respond(request, number, journal.clone(), answer.clone()));
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).max_buf_size(1024 * 1024);
    let _ = builder.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
}

async fn http2(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, number: usize, journal: Journal, answer: Answering) {
    let service = service_fn(move |request| respond(request, number, journal.clone(), answer.clone()));
    let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new()).max_header_list_size(1024 * 1024);
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(
    mut request: Request<Incoming>,
    number: usize,
    journal: Journal,
    answer: Answering,
) -> Result<Response<Sent>, Infallible> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (head, body) = request.into_parts();
    let recorded = Recorded {
        connection: number,
        version: head.version,
        method: head.method,
        uri: head.uri,
        headers: head.headers,
        body: BodySeen::default(),
    };
    let answer = answer(&recorded);
    let entry = journal.asked(recorded);
    if let Some(gate) = &answer.gate {
        gate.passed().await;
    }
    Ok(written(answer, entry, body, upgrade).await)
}

async fn written(mut answer: Answer, entry: Entry, body: Incoming, upgrade: hyper::upgrade::OnUpgrade) -> Response<Sent> {
    let mut body = Some(Noted::new(body, entry.clone()));
    if let Content::After(make) = answer.content {
        if let Some(body) = body.take() {
            body.drain().await;
        }
        answer = make(&entry.now());
        if let Some(gate) = &answer.gate {
            gate.passed().await;
        }
    }
    let mut response = Response::new(());
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    if let (Method::HEAD, Content::Whole(bytes, _)) = (entry.now().method, &mut answer.content) {
        // hyper leaves bodies out of answers to HEAD in HTTP/1 alone.
        response.headers_mut().insert(CONTENT_LENGTH, std::mem::take(bytes).len().into());
    }
    let sent = match answer.content {
        Content::Whole(bytes, trailers) => {
            // A body that nobody reads would end a connection that is to be used again. A client that waits for "100 Continue"
            // is never told to send one.
            if let Some(body) = body.take().filter(|_| !entry.now().headers.contains_key("expect")) {
                body.drain().await;
            }
            Sent::Whole(Some(bytes), trailers)
        }
        Content::Pattern { bytes, told } => Sent::Pattern { left: bytes, told },
        Content::Short { bytes, told } => Sent::Short { sent: false, bytes, told },
        Content::Fed(fed) => fed.take().map_or(Sent::Whole(None, None), Sent::Frames),
        Content::Echo => body.take().map_or(Sent::Whole(None, None), Sent::Echo),
        Content::After(_) => panic!("an answer after an answer after the body"),
        Content::Talk(talk) => {
            let Some(accepted) = websocket::accept(&entry.now().headers) else {
                *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
                return response.map(|()| Sent::Whole(None, None));
            };
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            response.headers_mut().extend(accepted);
            tokio::spawn(async move {
                if let Ok(stream) = upgrade.await {
                    talk(websocket::WebSocket::new(TokioIo::new(stream))).await;
                }
            });
            Sent::Whole(None, None)
        }
    };
    response.map(|()| sent)
}
