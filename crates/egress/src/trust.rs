use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// Stand-in.
#[derive(Clone, Default)]
pub struct TrustRoots(pub(crate) rustls::RootCertStore);

impl TrustRoots {
    /// Roots of one DER certificate, for tests.
    pub fn only(der: Vec<u8>) -> Self {
        let mut store = rustls::RootCertStore::empty();
        let _ = store.add(der.into());
        Self(store)
    }
}

/// The one provider of cryptography.
pub(crate) fn crypto() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
