//! One egress service with an outlet in memory, and clients as they are in a bottle.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bottle::{Arrival, Destination, Outlet, OutletError, Reply};
use bytes::Bytes;
use egress::upstream::Lookup;
use egress::{Authority, Config, Control, CredentialError, Credentials, Egress, Limits, TrustRoots};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use policy::{Account, Auth, HostPattern, LogLevel, Origin, Route, Rule, Scheme, Table, TokenRef};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use secret::Secret;
use store::{Audit, Home, Identity, Traffic};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub const SECRET: &str = "canary-real-credential";
pub const PLACEHOLDER: &str = "placeholder-for-the-agent";

/// What is to run.
pub struct Setting {
    pub rules: Vec<Rule>,
    pub limits: Limits,
    pub log: LogLevel,
    pub roots: TrustRoots,
    pub credential: Option<&'static str>,
    pub internal: Option<Arc<dyn egress::Internal>>,
    pub lookup: Option<Arc<dyn Lookup>>,
    pub known: Vec<Secret>,
}

/// A running service.
pub struct Scene {
    pub control: Control,
    pub audit: Arc<Audit>,
    pub traffic: Arc<Traffic>,
    pub rejected: Arc<Mutex<Vec<String>>>,
    arrivals: mpsc::UnboundedSender<Arrival>,
    authority: Authority,
    service: JoinHandle<()>,
    home: tempfile::TempDir,
}

struct InMemory(mpsc::UnboundedReceiver<Arrival>);

#[async_trait]
impl Outlet for InMemory {
    async fn accept(&mut self) -> Result<Arrival, OutletError> {
        self.0.recv().await.ok_or(OutletError::Gone)
    }
}

struct OneCredential {
    value: Option<&'static str>,
    rejected: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Credentials for OneCredential {
    async fn current(&self, _: &TokenRef) -> Result<Secret, CredentialError> {
        self.value.map(Secret::from).ok_or(CredentialError)
    }

    async fn rejected(&self, _of: &TokenRef, used: &Secret) {
        self.rejected.lock().unwrap().push(String::from_utf8_lossy(used.reveal()).into_owned());
    }
}

/// A rule for `host` that leads to `dial`, changed by `change`.
pub fn rule(host: &str, dial: SocketAddr, change: impl FnOnce(&mut Route)) -> Rule {
    let mut route = Route::to(HostPattern::parse(host).unwrap());
    route.dial = Some(dial);
    change(&mut route);
    Rule { route, origin: Origin::Provider("test"), account: Account::Any }
}

/// A rule that puts the credential in.
pub fn with_credential(host: &str, dial: SocketAddr) -> Rule {
    let auth = Auth::Scheme { scheme: Scheme::Bearer, token_ref: TokenRef::parse("T").unwrap() };
    Rule { account: Account::Ours, ..rule(host, dial, |route| route.auth = Some(auth)) }
}

impl Setting {
    pub fn new(rules: Vec<Rule>, roots: &TrustRoots) -> Self {
        Self {
            rules,
            limits: Limits::default(),
            log: LogLevel::Off,
            roots: roots.clone(),
            credential: Some(SECRET),
            internal: None,
            lookup: None,
            known: Vec::new(),
        }
    }

    pub fn start(self) -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().join("home"));
        let identity = Identity::random("agent").unwrap();
        let audit = Arc::new(Audit::new(home.clone(), identity.clone()));
        let traffic = Arc::new(Traffic::begin(home, identity).unwrap());
        let rejected = Arc::<Mutex<Vec<String>>>::default();
        let authority = Authority::new().unwrap();
        let config = Config {
            table: Table::new(self.rules).unwrap(),
            credentials: Arc::new(OneCredential { value: self.credential, rejected: Arc::clone(&rejected) }),
            known: self.known,
            placeholders: vec![Secret::from(PLACEHOLDER)],
            log: self.log,
            audit: Arc::clone(&audit),
            traffic: Arc::clone(&traffic),
            limits: self.limits,
        };
        let (service, control) = Egress::new(config, authority.clone(), self.roots);
        let service = match self.internal {
            Some(internal) => service.with_internal(internal),
            None => service,
        };
        let service = match self.lookup {
            Some(lookup) => service.with_lookup(lookup),
            None => service,
        };
        let (arrivals, outlet) = mpsc::unbounded_channel();
        let service = tokio::spawn(service.serve(Box::new(InMemory(outlet))));
        Scene { control, audit, traffic, rejected, arrivals, authority, service, home: folder }
    }
}

impl Scene {
    pub fn connect(&self, destination: Destination) -> DuplexStream {
        let (near, far) = tokio::io::duplex(64 * 1024);
        assert!(self.arrivals.send(Arrival::Stream { destination, stream: Box::new(far) }).is_ok());
        near
    }

    pub fn proxy(&self) -> DuplexStream {
        self.connect(Destination::Proxy)
    }

    pub fn transparent(&self, address: &str) -> DuplexStream {
        self.connect(Destination::Transparent(address.parse().unwrap()))
    }

    /// The address that stands for a name in this bottle, as its resolver says; `None` where it says none.
    pub async fn resolve(&self, name: &str) -> Option<std::net::Ipv4Addr> {
        let answer = self.datagram("127.0.0.53:53", question(name, 1)).await.unwrap();
        (answer[7] == 1).then(|| std::net::Ipv4Addr::from(<[u8; 4]>::try_from(&answer[answer.len() - 4..]).unwrap()))
    }

    /// The answer to a datagram; `None` where there is none.
    pub async fn datagram(&self, to: &str, payload: Vec<u8>) -> Option<Vec<u8>> {
        let (sender, mut answers) = mpsc::unbounded_channel();
        let destination = Destination::Transparent(to.parse().unwrap());
        assert!(self.arrivals.send(Arrival::Datagram { destination, payload, reply: Box::new(Answer(sender)) }).is_ok());
        within(answers.recv()).await
    }

    /// A tunnel through the proxy.
    pub async fn tunnel(&self, to: &str) -> DuplexStream {
        let mut stream = self.proxy();
        stream.write_all(format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n").as_bytes()).await.unwrap();
        let head = head(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        stream
    }

    /// TLS as a client that trusts this bottle's authority alone.
    pub async fn tls<S>(&self, stream: S, name: &str, protocols: &[&str]) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        tls_to(stream, name, protocols, self.roots_store()).await
    }

    /// This bottle's authority and no other.
    pub fn roots_store(&self) -> rustls::RootCertStore {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.authority.certificate_pem().as_bytes()).unwrap()).unwrap();
        roots
    }

    /// HTTP/1.1 over TLS over a tunnel.
    pub async fn https(&self, name: &str) -> http1::SendRequest<Full<Bytes>> {
        let tunnel = self.tunnel(&format!("{name}:443")).await;
        over(self.tls(tunnel, name, &["http/1.1"]).await.unwrap()).await
    }

    /// HTTP/2 over TLS over a tunnel.
    pub async fn http2(&self, name: &str) -> http2::SendRequest<Full<Bytes>> {
        let tunnel = self.tunnel(&format!("{name}:443")).await;
        let stream = self.tls(tunnel, name, &["h2"]).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    /// Records of refusals so far.
    pub fn refusals(&self) -> Vec<serde_json::Value> {
        lines(&std::fs::read_to_string(self.audit.path()).unwrap_or_default())
    }

    /// The only record of a refusal: its code, and what was asked.
    pub fn only_refusal(&self) -> (String, String) {
        let refusals = self.refusals();
        assert_eq!(refusals.len(), 1, "{refusals:?}");
        (refusals[0]["code"].as_str().unwrap().to_owned(), refusals[0]["asked"].as_str().unwrap().to_owned())
    }

    /// Records of what passed, once there are `count` of them.
    pub async fn passed(&self, count: usize) -> Vec<serde_json::Value> {
        within(async {
            while self.control.counts().passed < count as u64 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        self.traffic.flush().unwrap();
        lines(&std::fs::read_to_string(self.traffic.path()).unwrap_or_default())
    }

    /// Makes the record of what passes fail, if it cannot be written.
    pub fn break_traffic(&self) {
        let passed = store::Passed {
            time: jiff::Timestamp::now(),
            method: "GET".to_owned(),
            to: "x".repeat(300),
            path: None,
            status: None,
            sent: 0,
            received: 0,
            millis: 0,
            failed: None,
        };
        while !self.traffic.is_broken() {
            self.traffic.record(&passed);
            let _ = self.traffic.flush();
        }
    }

    /// Everything that the service wrote.
    pub fn written(&self) -> String {
        self.traffic.flush().unwrap();
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        read(self.audit.path()) + &read(self.traffic.path())
    }

    /// Ends the bottle and waits for the service to end too.
    pub async fn end(self) {
        let Self { arrivals, service, home, .. } = self;
        drop(arrivals);
        within(service).await.unwrap();
        drop(home);
    }

    /// Ends the service as a crash would.
    pub async fn kill(&mut self) {
        self.service.abort();
        let _ = (&mut self.service).await;
    }
}

struct Answer(mpsc::UnboundedSender<Vec<u8>>);

#[async_trait]
impl Reply for Answer {
    async fn send(self: Box<Self>, payload: &[u8]) -> io::Result<()> {
        self.0.send(payload.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

/// A question for a name (RFC 1035 §4.1.2), of the type with this number.
pub fn question(name: &str, kind: u16) -> Vec<u8> {
    let labels: Vec<u8> = name.split('.').flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).collect();
    let head = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00";
    [&head[..], &labels, b"\0", &kind.to_be_bytes(), b"\0\x01"].concat()
}

fn lines(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// TLS as a client that trusts `roots`.
pub async fn tls_to<S>(stream: S, name: &str, protocols: &[&str], roots: rustls::RootCertStore) -> io::Result<TlsStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    within(TlsConnector::from(Arc::new(config)).connect(name, stream)).await
}

/// HTTP/1.1 over a stream.
pub async fn over<S>(stream: S) -> http1::SendRequest<Full<Bytes>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection.with_upgrades());
    sender
}

/// A GET without anything else.
pub fn get(uri: &str, host: &str) -> Request<Full<Bytes>> {
    Request::get(uri).header("host", host).body(Full::default()).unwrap()
}

/// The whole of an answer.
#[derive(Debug)]
pub struct Got {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub trailers: Option<HeaderMap>,
}

impl Got {
    /// The code of a refusal, which stands in a header and in the body.
    pub fn refusal(&self) -> &str {
        let code = self.headers["x-bottle-refusal"].to_str().unwrap();
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(body["code"], code);
        assert!(!body["hint"].as_str().unwrap().is_empty() && !body["message"].as_str().unwrap().is_empty());
        code
    }
}

/// Reads an answer to its end.
pub async fn got(answer: Response<hyper::body::Incoming>) -> Got {
    let (parts, body) = answer.into_parts();
    let collected = within(body.collect()).await.unwrap();
    let trailers = collected.trailers().cloned();
    Got { status: parts.status, headers: parts.headers, body: collected.to_bytes(), trailers }
}

/// Sends over HTTP/1.1.
pub async fn send(sender: &mut http1::SendRequest<Full<Bytes>>, request: Request<Full<Bytes>>) -> Got {
    within(poll_fn(|cx| sender.poll_ready(cx))).await.unwrap();
    got(within(sender.send_request(request)).await.unwrap()).await
}

/// Sends over HTTP/2.
pub async fn send2(sender: &mut http2::SendRequest<Full<Bytes>>, request: Request<Full<Bytes>>) -> Got {
    got(within(sender.send_request(request)).await.unwrap()).await
}

/// Writes bytes and reads what comes until the other end closes.
pub async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, bytes: &[u8]) -> String {
    within(async {
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    })
    .await
}

/// Reads a head.
pub async fn head<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    within(async {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        String::from_utf8(head).unwrap()
    })
    .await
}

/// Bounds every wait of a test, so that a fault is an error and no hang.
pub async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future).await.unwrap()
}
