//! Stand-in.
use std::sync::Arc;

use crate::body::RequestBody;
use crate::trust::{TrustRoots, crypto};
use crate::Limits;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use policy::{Code, Host, Rule, Transport};
use tokio::net::TcpStream;

/// Where to.
pub struct Target {
    /// Host.
    pub host: Host,
    /// Port.
    pub port: u16,
    /// Transport.
    pub transport: Transport,
}
/// Why not.
#[derive(Debug)]
pub struct Failure {
    /// Code.
    pub code: Code,
    /// Message.
    pub message: String,
    /// Hint.
    pub hint: String,
}
/// The body of an answer.
pub type ResponseBody = Incoming;
/// Stand-in.
pub struct Upstreams {
    tls: Arc<rustls::ClientConfig>,
}

fn fail(error: impl std::fmt::Display) -> Failure {
    Failure { code: Code::UpstreamUnreachable, message: error.to_string(), hint: String::new() }
}

impl Upstreams {
    /// New.
    pub fn new(roots: TrustRoots, _limits: &Limits) -> Self {
        let config = rustls::ClientConfig::builder_with_provider(crypto()).with_safe_default_protocol_versions();
        #[allow(clippy::unwrap_used)]
        let tls = config.unwrap().with_root_certificates(roots.0).with_no_client_auth();
        Self { tls: Arc::new(tls) }
    }
    /// Raw.
    pub async fn connect(&self, target: &Target, rule: &Rule) -> Result<TcpStream, Failure> {
        let address = rule.route.dial.ok_or_else(|| fail(&target.host))?;
        #[allow(clippy::disallowed_methods, reason = "stand-in")]
        TcpStream::connect(address).await.map_err(fail)
    }
    /// Send.
    pub async fn send(&self, target: &Target, rule: &Rule, request: Request<RequestBody>) -> Result<Response<Incoming>, Failure> {
        let tcp = self.connect(target, rule).await?;
        match target.transport {
            Transport::Plain => Self::over(tcp, request).await,
            Transport::Tls => {
                let name = rustls::pki_types::ServerName::try_from(target.host.to_string()).map_err(fail)?;
                let stream = tokio_rustls::TlsConnector::from(Arc::clone(&self.tls)).connect(name, tcp).await.map_err(fail)?;
                Self::over(stream, request).await
            }
        }
    }
    /// Upgrade.
    pub async fn upgrade(&self, target: &Target, rule: &Rule, request: Request<RequestBody>) -> Result<Response<Incoming>, Failure> {
        self.send(target, rule, request).await
    }
    async fn over<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static>(
        stream: S,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, Failure> {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(fail)?;
        tokio::spawn(connection.with_upgrades());
        sender.send_request(request).await.map_err(fail)
    }
}
