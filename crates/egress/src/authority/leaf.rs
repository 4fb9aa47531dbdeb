use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyUsagePurpose, SanType};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::{AuthorityError, BEFORE, Inner, LEAF_LASTS};

/// The protocols that are spoken towards the bottle, in the order of liking (RFC 7301).
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

impl Inner {
    /// A leaf for a host, and TLS with it.
    pub(super) fn mint(&self, name: &str) -> Result<ServerConfig, AuthorityError> {
        let leaf = self.leaf_params(name)?.signed_by(&self.leaf, &self.issuer)?;
        let key = CertifiedKey::new(vec![leaf.der().clone()], Arc::clone(&self.leaf_signer));
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
        config.alpn_protocols = ALPN.iter().map(|protocol| protocol.to_vec()).collect();
        // Tickets carry the server's name, which is compared: one for another host opens nothing here.
        config.ticketer = Arc::clone(&self.tickets);
        config.send_tls13_tickets = 1;
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        config.max_early_data_size = 0;
        Ok(config)
    }

    fn leaf_params(&self, name: &str) -> Result<CertificateParams, AuthorityError> {
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![match name.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(name.try_into()?),
        }];
        params.distinguished_name = DistinguishedName::new();
        // A common name has at most 64 characters (RFC 5280, ub-common-name); what counts is the alternative name.
        params.distinguished_name.push(DnType::CommonName, if name.len() <= 64 { name } else { "bot-bottle" });
        // One issuer must never sign two certificates with one serial number: programs refuse the second.
        params.serial_number = Some(serial(&self.provider)?.to_vec().into());
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // Python 3.13 and later refuse a certificate without (RFC 5280 §4.2.1.1).
        params.use_authority_key_identifier_extension = true;
        last(&mut params, SystemTime::now(), LEAF_LASTS);
        Ok(params)
    }
}

/// Sets a validity that begins a little before `now`.
pub(super) fn last(params: &mut CertificateParams, now: SystemTime, lasts: Duration) {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + now.saturating_sub(BEFORE);
    params.not_after = epoch + now + lasts;
}

/// 127 random bits: positive, and at most 20 bytes (RFC 5280 §4.1.2.2).
pub(super) fn serial(provider: &CryptoProvider) -> Result<[u8; 16], AuthorityError> {
    let mut bytes = [0; 16];
    provider.secure_random.fill(&mut bytes).map_err(|_| AuthorityError::Random)?;
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(bytes)
}

pub(super) fn hex(bytes: &[u8; 16]) -> String {
    bytes[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}
