use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use policy::{Account, Host, HostPattern, Origin, Route, Rule, Transport};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::Target;
use crate::trust::{TrustRoots, crypto};

/// The name that test origins have a certificate for.
pub(crate) const NAME: &str = "api.example.org";

/// An authority, and a certificate of its own for [`NAME`].
pub(crate) struct TestAuthority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl TestAuthority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        static AUTHORITIES: AtomicUsize = AtomicUsize::new(0);
        let number = AUTHORITIES.fetch_add(1, Ordering::Relaxed);
        params.distinguished_name.push(rcgen::DnType::CommonName, format!("test authority {number}"));
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    pub(crate) fn roots(&self) -> TrustRoots {
        TrustRoots::only(self.certificate.to_vec())
    }

    /// A server's side of TLS with a certificate for [`NAME`], changed by `change`.
    pub(crate) fn acceptor(&self, protocols: &[&str], change: impl FnOnce(&mut CertificateParams)) -> TlsAcceptor {
        let mut params = CertificateParams::new([NAME.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        acceptor(leaf, &key, protocols)
    }

    pub(crate) fn self_signed(protocols: &[&str]) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new([NAME.to_owned()]).unwrap().self_signed(&key).unwrap().der().clone();
        acceptor(leaf, &key, protocols)
    }
}

fn acceptor(leaf: CertificateDer<'static>, key: &KeyPair, protocols: &[&str]) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(crypto()).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_no_client_auth().with_single_cert(vec![leaf], key).unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// A server on loopback that counts the connections it takes. Dropping it ends it and all of them.
pub(crate) struct TestOrigin {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

impl TestOrigin {
    /// Gives every connection, with its number from 0, to `serve`.
    pub(crate) async fn raw<F, S>(serve: F) -> Self
    where
        F: Fn(TcpStream, usize) -> S + Send + 'static,
        S: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut tasks = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                tasks.spawn(serve(stream, counted.fetch_add(1, Ordering::SeqCst)));
            }
        });
        Self { address, connections, _serving: serving }
    }

    /// Answers HTTP/1.1 without TLS.
    pub(crate) async fn plain<F, S>(answer: F) -> Self
    where
        F: Fn(Request<Incoming>) -> S + Clone + Send + 'static,
        S: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    {
        Self::raw(move |stream, _| serve_http1(stream, answer.clone())).await
    }

    /// Answers HTTP/1.1 or HTTP/2 inside TLS, as agreed.
    pub(crate) async fn tls<F, S>(acceptor: TlsAcceptor, streams: u32, answer: F) -> Self
    where
        F: Fn(Request<Incoming>) -> S + Clone + Send + 'static,
        S: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    {
        Self::raw(move |stream, _| {
            let (acceptor, answer) = (acceptor.clone(), answer.clone());
            async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    let service = service_fn(move |request| infallible(answer(request)));
                    let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    let _ = builder.max_concurrent_streams(streams).serve_connection(TokioIo::new(stream), service).await;
                } else {
                    serve_http1(stream, answer).await;
                }
            }
        })
        .await
    }

    /// Connections taken so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn target(&self, transport: Transport) -> Target {
        Target { host: Host::parse(NAME).unwrap(), port: self.address.port(), transport }
    }

    /// A rule that dials this origin.
    pub(crate) fn rule(&self) -> Rule {
        let mut rule = rule();
        rule.route.dial = Some(self.address);
        rule
    }
}

/// A rule for [`NAME`] that says nothing else.
pub(crate) fn rule() -> Rule {
    Rule { route: Route::to(HostPattern::parse(NAME).unwrap()), origin: Origin::Provider("test"), account: Account::Any }
}

/// An answer with a short body.
pub(crate) fn ok(text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    Response::new(Full::new(text.into()))
}

async fn serve_http1<T, F, S>(stream: T, answer: F)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(Request<Incoming>) -> S + Send + 'static,
    S: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let service = service_fn(move |request| infallible(answer(request)));
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
}

async fn infallible<T>(answer: impl Future<Output = T>) -> Result<T, Infallible> {
    Ok(answer.await)
}
