use std::sync::{Arc, OnceLock};

use rustls::crypto::CryptoProvider;

/// The one set of algorithms that TLS is spoken with here, on both sides: aws-lc-rs with its defaults, the post-quantum key
/// exchange among them. Named everywhere instead of installed once for the process, so that no library can change it.
pub fn crypto() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider())))
}
