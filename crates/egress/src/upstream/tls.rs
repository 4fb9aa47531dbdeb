use std::io;
use std::sync::{Arc, OnceLock};

use policy::{Code, Host};
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Failure;
use super::target::Target;
use crate::trust::{TrustRoots, crypto};

/// TLS towards hosts: 1.2 and 1.3, certificates always checked. There is no setting that checks them less.
pub(super) struct Tls {
    roots: TrustRoots,
    any_http: OnceLock<TlsConnector>,
    http1: OnceLock<TlsConnector>,
}

/// What is offered as the protocol inside (RFC 7301).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    /// `h2` and `http/1.1`.
    AnyHttp,
    /// `http/1.1` alone.
    Http1,
}

impl Tls {
    pub(super) fn new(roots: TrustRoots) -> Self {
        Self { roots, any_http: OnceLock::new(), http1: OnceLock::new() }
    }

    /// Shakes hands with `target` over `stream`.
    ///
    /// # Errors
    /// When its certificate is not good, it speaks no TLS that is spoken here, or does not finish by `deadline`.
    pub(super) async fn handshake(
        &self,
        stream: TcpStream,
        target: &Target,
        offer: Offer,
        deadline: Instant,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        let connector = self.connector(offer).map_err(|error| {
            Failure::new(
                Code::UpstreamProtocol,
                format!("preparing TLS for {target}: {error}"),
                "report this as a fault of bot-bottle",
            )
        })?;
        let shaking = connector.connect(server_name(target)?, stream);
        match timeout_at(deadline, shaking).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(failure(target, &error)),
            Err(_) => {
                let message = format!("shaking hands with {target}: no answer in time");
                Err(Failure::new(Code::UpstreamUnreachable, message, "try again later"))
            }
        }
    }

    fn connector(&self, offer: Offer) -> Result<TlsConnector, rustls::Error> {
        let (place, protocols): (_, &[&[u8]]) = match offer {
            Offer::AnyHttp => (&self.any_http, &[b"h2", b"http/1.1"]),
            Offer::Http1 => (&self.http1, &[b"http/1.1"]),
        };
        if let Some(connector) = place.get() {
            return Ok(connector.clone());
        }
        let mut config = ClientConfig::builder_with_provider(crypto())
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_root_certificates(self.roots.store())
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Ok(place.get_or_init(|| TlsConnector::from(Arc::new(config))).clone())
    }
}

fn server_name(target: &Target) -> Result<ServerName<'static>, Failure> {
    match &target.host {
        Host::Address(address) => Ok(ServerName::IpAddress((*address).into())),
        Host::Name(name) => ServerName::try_from(name.clone()).map_err(|_| {
            let message = format!("{} is a name that no certificate can be for", target.host);
            Failure::new(Code::UpstreamCertificate, message, "use a name of letters, digits and `-`")
        }),
    }
}

fn failure(target: &Target, error: &io::Error) -> Failure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(why)) => {
            let (what, hint) = explained(why);
            Failure::new(Code::UpstreamCertificate, format!("the certificate of {target} {what}"), hint)
        }
        Some(rustls::Error::NoCertificatesPresented) => {
            Failure::new(Code::UpstreamCertificate, format!("{target} presents no certificate"), NOT_OURS)
        }
        Some(other) => Failure::new(
            Code::UpstreamProtocol,
            format!("shaking hands with {target}: {}", plain(other)),
            "check that the port speaks TLS 1.2 or 1.3",
        ),
        None => {
            let message = format!("shaking hands with {target}: {}", error.kind());
            Failure::new(Code::UpstreamProtocol, message, "check that the port speaks TLS, and try again later")
        }
    }
}

const NOT_OURS: &str = "nothing in the bottle can mend this; tell the person";

fn explained(why: &CertificateError) -> (&'static str, &'static str) {
    let authority = "if the authority is the person's own, start with SSL_CERT_FILE naming a file with its certificate";
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => ("has expired", NOT_OURS),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("is not valid yet", "check the host's clock")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            ("is for another host", "use the name that the certificate is for")
        }
        CertificateError::UnknownIssuer => ("is self-signed, or signed by an authority that is not trusted here", authority),
        CertificateError::Revoked => ("has been revoked", NOT_OURS),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => ("is not one for servers", NOT_OURS),
        // A foreign enum that may grow: whatever else is wrong, it is not good.
        _ => ("is not good: it is malformed, its signature is wrong, or it is an authority's own", authority),
    }
}

/// rustls' words where they are fixed ones: what an error quotes may be the other end's.
fn plain(error: &rustls::Error) -> String {
    match error {
        rustls::Error::AlertReceived(alert) => format!("it answers with the alert {alert:?}"),
        rustls::Error::PeerIncompatible(_) => "it speaks no version or cipher of TLS that is safe".to_owned(),
        rustls::Error::InvalidMessage(_) => "it does not answer in TLS".to_owned(),
        rustls::Error::NoApplicationProtocol => "it speaks neither HTTP/1.1 nor HTTP/2".to_owned(),
        _ => "it does not keep to the protocol".to_owned(),
    }
}
