use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::bulk::Zeros;
use crate::options::Sink;

/// Serves until it is killed.
pub async fn run(sink: Sink) -> anyhow::Result<Infallible> {
    let certificates = CertificateDer::pem_file_iter(&sink.certificate)?.collect::<Result<Vec<_>, _>>()?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = builder.with_no_client_auth().with_single_cert(certificates, PrivateKeyDer::from_pem_file(&sink.key)?)?;
    let tls = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(sink.listen).await?;
    loop {
        let (tcp, _) = listener.accept().await?;
        let tls = tls.clone();
        tokio::spawn(async move {
            tcp.set_nodelay(true)?;
            let stream = TokioIo::new(tls.accept(tcp).await?);
            http1::Builder::new().serve_connection(stream, service_fn(answer)).await?;
            anyhow::Ok(())
        });
    }
}

/// Reads whatever comes; what comes back is as long as the last part of the path says, after that.
async fn answer(request: Request<Incoming>) -> Result<Response<Zeros>, hyper::Error> {
    let left = request.uri().path().rsplit('/').next().and_then(|last| last.parse().ok()).unwrap_or(0);
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        let _: Option<Bytes> = frame?.into_data().ok();
    }
    Ok(Response::new(Zeros { left }))
}
