use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Where systems keep the certificates that everybody on them trusts, in the order in which they are tried; the first that
/// holds any counts.
const PLATFORM: [&str; 8] = [
    "/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Arch, Gentoo
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Fedora, RHEL
    "/etc/pki/tls/certs/ca-bundle.crt",                  // older RHEL
    "/etc/ssl/certs/ca-bundle.crt",                      // NixOS
    "/etc/ssl/ca-bundle.pem",                            // openSUSE
    "/var/lib/ca-certificates/ca-bundle.pem",            // openSUSE, unlinked
    "/etc/ssl/cert.pem",                                 // Alpine, BSDs, macOS
    "/etc/pki/tls/cacert.pem",                           // OpenELEC
];
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The authorities whose certificates are believed: the platform's, and those of a file that the person names. Cheap to
/// clone; the platform's are read at first use.
#[derive(Debug, Clone)]
pub struct TrustRoots(Arc<Roots>);

#[derive(Debug)]
struct Roots {
    platform: Vec<PathBuf>,
    named: Option<String>,
    parsed: OnceLock<Arc<RootCertStore>>,
}

/// Why the file that the person names is of no use. It is never passed over: without it their hosts would look forged.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It cannot be read.
    #[error("reading the certificates of SSL_CERT_FILE ({}): {source}", shown::Shown::path(.path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// There is no certificate in it.
    #[error("SSL_CERT_FILE ({}) holds no certificate in PEM form: it must have `{BEGIN}` lines", shown::Shown::path(.path))]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl TrustRoots {
    /// The platform's authorities and those in `named`, the file of the person's `SSL_CERT_FILE`.
    ///
    /// # Errors
    /// When `named` cannot be read or holds no certificate.
    pub fn new(named: Option<&Path>) -> Result<Self, TrustError> {
        Self::with_platform(PLATFORM.iter().map(PathBuf::from).collect(), named)
    }

    /// One authority alone, by its certificate in DER: nobody else is believed.
    pub fn only(certificate: Vec<u8>) -> Self {
        let mut store = RootCertStore::empty();
        // One that is none leaves nobody to believe, and every handshake fails.
        let _ = store.add(certificate.into());
        Self(Arc::new(Roots { platform: Vec::new(), named: None, parsed: OnceLock::from(Arc::new(store)) }))
    }

    fn with_platform(platform: Vec<PathBuf>, named: Option<&Path>) -> Result<Self, TrustError> {
        let named = named.map(read_named).transpose()?;
        Ok(Self(Arc::new(Roots { platform, named, parsed: OnceLock::new() })))
    }

    /// All of them as PEM, one block after the other, for the bottle's own bundle. Certificates alone: a private key that
    /// lies in the same file stays on the host.
    pub fn pem_bundle(&self) -> String {
        let mut bundle = self.0.platform_certificates();
        if let Some(named) = &self.0.named {
            bundle.push_str(named);
        }
        bundle
    }

    /// All of them as rustls wants them, parsed at first use. A certificate that cannot be one is passed over: bundles carry
    /// old oddities, and fewer roots open nothing.
    pub(crate) fn store(&self) -> Arc<RootCertStore> {
        let parsed = self.0.parsed.get_or_init(|| {
            let mut store = RootCertStore::empty();
            let bundle = self.pem_bundle();
            for certificate in CertificateDer::pem_slice_iter(bundle.as_bytes()).flatten() {
                // Skipped when it is malformed.
                let _ = store.add(certificate);
            }
            Arc::new(store)
        });
        Arc::clone(parsed)
    }
}

impl Roots {
    fn platform_certificates(&self) -> String {
        let bundles = self.platform.iter().filter_map(|path| fs::read(path).ok());
        bundles.map(|bytes| certificates(&String::from_utf8_lossy(&bytes))).find(|found| !found.is_empty()).unwrap_or_default()
    }
}

fn read_named(path: &Path) -> Result<String, TrustError> {
    let bytes = fs::read(path).map_err(|source| TrustError::Unreadable { path: path.to_owned(), source })?;
    let found = certificates(&String::from_utf8_lossy(&bytes));
    if found.is_empty() { Err(TrustError::Empty { path: path.to_owned() }) } else { Ok(found) }
}

/// The certificate blocks of a PEM text (RFC 7468 §5.1), without what stands between them.
fn certificates(text: &str) -> String {
    let mut blocks = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(BEGIN) {
        let block = &rest[begin..];
        let Some(end) = block.find(END) else { break };
        let (block, behind) = block.split_at(end + END.len());
        let inner = &block[BEGIN.len()..end];
        // A block that holds the beginning of another was cut off: go on with the inner one.
        match inner.find("-----") {
            None => {
                blocks.push_str(block);
                blocks.push('\n');
                rest = behind;
            }
            Some(_) => rest = &rest[begin + BEGIN.len()..],
        }
    }
    blocks
}

/// The one set of algorithms that TLS is spoken with here, on both sides: aws-lc-rs with its defaults, the post-quantum key
/// exchange among them. Named everywhere instead of installed once for the process, so that no library can change it.
pub(crate) fn crypto() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider())))
}

#[cfg(test)]
#[path = "trust_tests.rs"]
mod tests;
