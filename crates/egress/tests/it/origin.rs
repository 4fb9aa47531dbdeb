//! A server on loopback: TLS with a certificate for every name of the tests, or none. It says what it was asked.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use egress::TrustRoots;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode, Version};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Names that the certificate is for.
pub const NAMES: [&str; 3] = ["a.example", "b.example", "c.wild.example"];

/// A running server; it ends when this is dropped.
pub struct Origin {
    pub address: SocketAddr,
    pub roots: TrustRoots,
    certificate: Vec<u8>,
    seen: Arc<Mutex<Vec<Seen>>>,
    _tasks: JoinSet<()>,
}

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: http::Method,
    pub uri: http::Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub trailers: Option<HeaderMap>,
}

/// Frames that are all there.
pub struct Frames(pub VecDeque<Result<Frame<Bytes>, hyper::Error>>);

impl futures_core::Stream for Frames {
    type Item = Result<Frame<Bytes>, hyper::Error>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.pop_front())
    }
}

type Answer = Response<UnsyncBoxBody<Bytes, hyper::Error>>;

impl Origin {
    pub async fn plain() -> Self {
        Self::start(Vec::new(), None).await
    }

    /// Offers these protocols in ALPN.
    pub async fn tls(protocols: &[&str]) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().to_vec();
        let issuer = Issuer::new(params, key);
        let leaf_key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(NAMES.map(str::to_owned)).unwrap().signed_by(&leaf_key, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let key = PrivateKeyDer::try_from(leaf_key.serialize_der()).unwrap();
        let mut config = config.with_no_client_auth().with_single_cert(vec![leaf.der().clone()], key).unwrap();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Self::start(certificate, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    /// What a client trusts that knows this server.
    pub fn roots_store(&self) -> rustls::RootCertStore {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.certificate.clone().into()).unwrap();
        roots
    }

    /// What arrived so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    async fn start(certificate: Vec<u8>, acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let mut tasks = JoinSet::new();
        tasks.spawn({
            let seen = Arc::clone(&seen);
            async move {
                let mut connections = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
                    connections.spawn(async move {
                        match acceptor {
                            None => serve(stream, false, seen).await,
                            Some(acceptor) => {
                                let Ok(stream) = acceptor.accept(stream).await else { return };
                                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                                serve(stream, is_http2, seen).await;
                            }
                        }
                    });
                }
            }
        });
        Self { address, roots: TrustRoots::only(certificate.clone()), certificate, seen, _tasks: tasks }
    }
}

async fn serve<S>(stream: S, is_http2: bool, seen: Arc<Mutex<Vec<Seen>>>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let seen = Arc::clone(&seen);
        async move { Ok::<_, Infallible>(answer(request, seen).await) }
    });
    let stream = TokioIo::new(stream);
    if is_http2 {
        let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await;
    } else {
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(stream, service).with_upgrades().await;
    }
}

async fn answer(mut request: Request<Incoming>, seen: Arc<Mutex<Vec<Seen>>>) -> Answer {
    let upgrade = hyper::upgrade::on(&mut request);
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let collected = if path == "/stream" { None } else { Some(body.collect().await) };
    let (body, trailers) = match collected {
        Some(Ok(collected)) => {
            let trailers = collected.trailers().cloned();
            (collected.to_bytes(), trailers)
        }
        Some(Err(_)) => return status(StatusCode::BAD_REQUEST),
        None => (Bytes::new(), None),
    };
    let (method, uri, version, headers) = (parts.method, parts.uri, parts.version, parts.headers);
    let answer = match path.as_str() {
        "/echo" => Response::new(Full::new(body.clone()).map_err(|never| match never {}).boxed_unsync()),
        "/401" => status(StatusCode::UNAUTHORIZED),
        "/204" => status(StatusCode::NO_CONTENT),
        "/hop" => {
            let mut answer = text("hop");
            for (name, value) in [("alt-svc", "h3=\":443\""), ("x-kept", "yes")] {
                answer.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            if version < Version::HTTP_2 {
                answer.headers_mut().insert("connection", HeaderValue::from_static("x-secret-hop"));
                answer.headers_mut().insert("x-secret-hop", HeaderValue::from_static("1"));
            }
            answer
        }
        "/redirect" => {
            let mut answer = status(StatusCode::FOUND);
            let to = uri.query().unwrap_or_default();
            answer.headers_mut().insert("location", HeaderValue::from_str(to).unwrap());
            answer
        }
        "/login" => {
            let mut answer = text("welcome");
            for name in ["set-cookie", "set-cookie2"] {
                answer.headers_mut().insert(name, HeaderValue::from_static("session=canary-of-the-account"));
            }
            answer
        }
        "/trailers" | "/trailers/large" => {
            let value = if path == "/trailers" { "0".to_owned() } else { "0".repeat(9000) };
            let trailers =
                HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::try_from(value).unwrap())]);
            // Without a length: HTTP/1.1 has trailers in chunked bodies alone.
            let frames = [Ok(Frame::data(Bytes::from_static(b"message"))), Ok(Frame::trailers(trailers))];
            let mut answer = Response::new(StreamBody::new(Frames(frames.into())).boxed_unsync());
            answer.headers_mut().insert("trailer", HeaderValue::from_static("grpc-status"));
            answer
        }
        "/ws" | "/ws/leaves" | "/ws/breaks" if headers.contains_key("upgrade") => {
            tokio::spawn(async move {
                if let Ok(upgraded) = upgrade.await {
                    talk(upgraded, &path).await;
                }
            });
            let mut answer = status(StatusCode::SWITCHING_PROTOCOLS);
            answer.headers_mut().insert("connection", HeaderValue::from_static("Upgrade"));
            answer.headers_mut().insert("upgrade", HeaderValue::from_static("websocket"));
            answer.headers_mut().insert("sec-websocket-accept", HeaderValue::from_static("accepted"));
            answer.headers_mut().insert("sec-websocket-extensions", HeaderValue::from_static("permessage-deflate"));
            answer
        }
        _ => text("hello"),
    };
    seen.lock().unwrap().push(Seen { method, uri, headers, body, trailers });
    answer
}

/// Gives back what it gets: until the other end ends; or once, and is gone without TLS's last word; or once, and resets the
/// connection.
async fn talk(upgraded: hyper::upgrade::Upgraded, path: &str) {
    let mut stream = TokioIo::new(upgraded);
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..count]).await.is_err() {
            return;
        }
        match path {
            "/ws/leaves" => return,
            "/ws/breaks" => {
                let parts = stream.into_inner().downcast::<TokioIo<TlsStream<TcpStream>>>().unwrap();
                return parts.io.inner().get_ref().0.set_zero_linger().unwrap();
            }
            _ => {}
        }
    }
    let _ = stream.shutdown().await;
}

fn text(text: &'static str) -> Answer {
    Response::new(Full::from(text).map_err(|never| match never {}).boxed_unsync())
}

fn status(status: StatusCode) -> Answer {
    let mut answer = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    *answer.status_mut() = status;
    answer
}
