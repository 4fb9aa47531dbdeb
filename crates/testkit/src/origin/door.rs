use std::sync::Arc;

use rustls::ServerConfig;

use crate::Leaf;

/// How clients come in.
#[derive(Debug, Clone)]
pub enum Door {
    /// HTTP/1.1 without TLS.
    Plain,
    /// TLS with this certificate; HTTP/2 and HTTP/1.1, as the client likes.
    Tls(Leaf),
    /// TLS; only these protocols are offered, by their names in ALPN (RFC 7301): `h2`, `http/1.1`.
    TlsOnly(Leaf, &'static [&'static str]),
}

impl Door {
    pub(super) fn config(self) -> Option<Arc<ServerConfig>> {
        let (leaf, protocols): (_, &[&str]) = match self {
            Self::Plain => return None,
            Self::Tls(leaf) => (leaf, &["h2", "http/1.1"]),
            Self::TlsOnly(leaf, protocols) => (leaf, protocols),
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let mut config = builder.with_no_client_auth().with_single_cert(leaf.chain, leaf.key).unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Some(Arc::new(config))
    }
}
