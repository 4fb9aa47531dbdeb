//! The certificate authority of one bottle: made at its launch, its key in memory alone, gone with it.

mod leaf;
mod pem;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::server::ProducesTickets;
use rustls::sign::SigningKey;

use crate::trust::crypto;

/// One bottle's certificate authority. Cloning it is cheap.
#[derive(Clone)]
pub struct Authority(Arc<Inner>);

struct Inner {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    /// One key for all leaves: whoever could read one of them in this process could read the authority's own beside it, so
    /// that a key per host would cost time and gain nothing.
    leaf: KeyPair,
    leaf_signer: Arc<dyn SigningKey>,
    provider: Arc<CryptoProvider>,
    tickets: Arc<dyn ProducesTickets>,
    ready: Mutex<HashMap<String, Ready>>,
}

struct Ready {
    config: Arc<ServerConfig>,
    made: Instant,
}

/// Why there is no authority, or no certificate of it.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// Making keys or signing failed.
    #[error("making a certificate for the bottle: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refused.
    #[error("setting up TLS towards the bottle: {0}")]
    Tls(#[from] rustls::Error),
    /// The system gave no random bytes.
    #[error("setting up TLS towards the bottle: the system gave no random bytes")]
    Random,
}

/// Clocks in images and virtual machines run behind.
const BEFORE: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// A bottle that lives longer is started again.
const AUTHORITY_LASTS: Duration = Duration::from_secs(30 * 24 * 3600);
/// A leaf is made anew well before it ends.
const LEAF_LASTS: Duration = Duration::from_secs(5 * 24 * 3600);
const LEAF_IS_USED: Duration = DAY;
/// Most leaves that are kept. Threat: one wildcard route lets the agent name hosts without end.
const LEAVES: usize = 512;

impl Authority {
    /// Makes keys and certificate. Takes well under a millisecond: a start of a session waits for it.
    ///
    /// # Errors
    /// When the system gives no random bytes, or the library refuses.
    pub fn new() -> Result<Self, AuthorityError> {
        let provider = crypto();
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = rcgen::DistinguishedName::new();
        // Programs tell authorities apart by name: two bottles' must differ.
        params.distinguished_name.push(DnType::CommonName, format!("bot-bottle {}", leaf::hex(&leaf::serial(&provider)?)));
        params.serial_number = Some(leaf::serial(&provider)?.to_vec().into());
        leaf::last(&mut params, SystemTime::now(), AUTHORITY_LASTS);
        let certificate = params.self_signed(&key)?.der().clone();
        let leaf = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let leaf_signer = provider.key_provider.load_private_key(leaf.serialize_der().try_into().map_err(refused)?)?;
        let (issuer, ready) = (Issuer::new(params, key), Mutex::default());
        let tickets = rustls::crypto::aws_lc_rs::Ticketer::new()?;
        Ok(Self(Arc::new(Inner { certificate, issuer, leaf, leaf_signer, provider, tickets, ready })))
    }

    /// Its certificate in PEM (RFC 7468), for the bottle's trust stores.
    pub fn certificate_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.0.certificate)
    }

    /// TLS towards the bottle in the name of a host: HTTP/2 and HTTP/1.1, TLS 1.2 and above, resumption, no early data.
    ///
    /// # Errors
    /// When the library refuses.
    pub(crate) fn config(&self, name: &str) -> Result<Arc<ServerConfig>, AuthorityError> {
        let lock = || self.0.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ready) = lock().get(name).filter(|ready| ready.made.elapsed() < LEAF_IS_USED) {
            return Ok(Arc::clone(&ready.config));
        }
        let config = Arc::new(self.0.mint(name)?);
        let mut kept = lock();
        if kept.len() >= LEAVES {
            kept.clear();
        }
        kept.insert(name.to_owned(), Ready { config: Arc::clone(&config), made: Instant::now() });
        Ok(config)
    }
}

fn refused(why: &'static str) -> AuthorityError {
    AuthorityError::Tls(rustls::Error::General(why.to_owned()))
}

#[cfg(test)]
#[path = "authority_tests.rs"]
mod tests;
