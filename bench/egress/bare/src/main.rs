//! hudsucker with nothing added: the yardstick for a TLS-intercepting proxy in Rust.
//!
//! usage: bare-hudsucker LISTEN CA-CERTIFICATE CA-KEY ROOTS

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use hudsucker::Proxy;
use hudsucker::certificate_authority::RcgenAuthority;
use hudsucker::rcgen::{Issuer, KeyPair};
use hudsucker::rustls::crypto::aws_lc_rs;
use hudsucker::rustls::pki_types::CertificateDer;
use hudsucker::rustls::pki_types::pem::PemObject;
use hudsucker::rustls::{ClientConfig, RootCertStore};
use hyper_util::client::legacy::connect::HttpConnector;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &'static str| arguments.next().context(what);
    let listen: SocketAddr = next("LISTEN")?.parse()?;
    let certificate = std::fs::read_to_string(next("CA-CERTIFICATE")?)?;
    let key = KeyPair::from_pem(&std::fs::read_to_string(next("CA-KEY")?)?)?;
    let roots = next("ROOTS")?;

    let authority = RcgenAuthority::new(Issuer::from_ca_cert_pem(&certificate, key)?, 1_000, aws_lc_rs::default_provider());
    let proxy = Proxy::builder()
        .with_addr(listen)
        .with_ca(authority)
        .with_http_connector(connector(&roots)?)
        .build()
        .map_err(|error| anyhow!("{error}"))?;
    proxy.start().await.map_err(|error| anyhow!("{error}"))
}

/// What hudsucker makes by itself, but with the roots of the measurement.
fn connector(roots: &str) -> anyhow::Result<hyper_rustls::HttpsConnector<HttpConnector>> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(roots)? {
        store.add(certificate?)?;
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = builder.with_root_certificates(store).with_no_client_auth();
    Ok(hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build())
}
