use std::sync::Arc;

use anyhow::{Context, bail};
use http_body::Body;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::options::Path;

/// The way to a host, ready to be taken many times.
pub struct Route {
    path: Path,
    tls: TlsConnector,
}

impl Route {
    pub fn new(path: Path) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(&path.ca).with_context(|| format!("reading {}", path.ca.display()))? {
            roots.add(certificate?)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Every handshake is a whole one, whatever the other end offers.
        config.resumption = Resumption::disabled();
        Ok(Self { path, tls: TlsConnector::from(Arc::new(config)) })
    }

    /// Connects, asks for a tunnel where there is a proxy, and shakes hands.
    pub async fn open(&self, host: &str, port: u16) -> anyhow::Result<TlsStream<TcpStream>> {
        let mut tcp = TcpStream::connect(self.path.connect).await.context("connecting")?;
        tcp.set_nodelay(true)?;
        if self.path.proxy {
            tunnel(&mut tcp, host, port).await.context("asking for a tunnel")?;
        }
        let name = ServerName::try_from(host.to_owned())?;
        self.tls.connect(name, tcp).await.context("shaking hands")
    }

    /// A connection for HTTP/1.1 requests.
    pub async fn http<B>(&self, host: &str, port: u16) -> anyhow::Result<SendRequest<B>>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let stream = TokioIo::new(self.open(host, port).await?);
        let (sender, connection) = http1::handshake(stream).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

async fn tunnel(tcp: &mut TcpStream, host: &str, port: u16) -> anyhow::Result<()> {
    tcp.write_all(format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n").as_bytes()).await?;
    // The other end says nothing after its head until the handshake begins, so nothing of that can be swallowed here.
    let mut head = Vec::with_capacity(512);
    while !head.ends_with(b"\r\n\r\n") {
        if tcp.read_buf(&mut head).await? == 0 || head.len() > 16 * 1024 {
            bail!("no answer: {:?}", String::from_utf8_lossy(&head));
        }
    }
    if !(head.starts_with(b"HTTP/1.1 200") || head.starts_with(b"HTTP/1.0 200")) {
        bail!("refused: {:?}", String::from_utf8_lossy(&head));
    }
    Ok(())
}
