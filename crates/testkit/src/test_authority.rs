use std::path::Path;

use data_encoding::BASE64;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate authority that only tests trust: for origins that stand for servers on the network.
pub struct TestAuthority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

/// A server's certificate with its key.
#[derive(Debug)]
pub struct Leaf {
    /// The certificate, and those that it hangs on but the last.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its key, PKCS #8.
    pub key: PrivateKeyDer<'static>,
}

/// When a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// On every day on which these tests will run.
    Now,
    /// It was, in 2020.
    Past,
    /// It will be, from 2090.
    Future,
}

impl TestAuthority {
    /// An authority of this name, with a new P-256 key.
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = params(&[], Validity::Now);
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// A certificate for `names`, each a DNS name or an IP address.
    pub fn leaf(&self, names: &[&str]) -> Leaf {
        self.leaf_valid(names, Validity::Now)
    }

    /// [`TestAuthority::leaf`] with a validity of its own.
    pub fn leaf_valid(&self, names: &[&str], validity: Validity) -> Leaf {
        let key = KeyPair::generate().unwrap();
        let certificate = server(names, validity).signed_by(&key, &self.issuer).unwrap();
        Leaf { chain: vec![certificate.der().clone()], key: pkcs8(&key) }
    }

    /// Its own certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Its own certificate as PEM (RFC 7468, section 5): what `SSL_CERT_FILE` names.
    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }

    /// Writes [`TestAuthority::pem`] to `path`.
    pub fn write_pem(&self, path: &Path) {
        write(path, &self.pem());
    }

    /// Roots that hold nothing but this authority.
    pub fn roots(&self) -> rustls::RootCertStore {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        roots
    }
}

impl Leaf {
    /// A certificate that nobody signed but its own key.
    pub fn self_signed(names: &[&str]) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = server(names, Validity::Now).self_signed(&key).unwrap();
        Self { chain: vec![certificate.der().clone()], key: pkcs8(&key) }
    }

    /// The chain as PEM, for servers that are programs of their own.
    pub fn chain_pem(&self) -> String {
        self.chain.iter().map(|certificate| pem("CERTIFICATE", certificate)).collect()
    }

    /// The key as PEM.
    pub fn key_pem(&self) -> String {
        pem("PRIVATE KEY", self.key.secret_der())
    }
}

impl Clone for Leaf {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

fn server(names: &[&str], validity: Validity) -> CertificateParams {
    let mut params = params(names, validity);
    params.distinguished_name.push(DnType::CommonName, names.first().copied().unwrap_or("nobody"));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params
}

fn params(names: &[&str], validity: Validity) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    let (from, to) = match validity {
        Validity::Now => (2024, 2044),
        Validity::Past => (2019, 2020),
        Validity::Future => (2090, 2091),
    };
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 1, 1);
    params
}

fn pkcs8(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.serialize_der()).into()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

#[allow(clippy::disallowed_methods, reason = "a file of a test's own temporary folder")]
fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

#[cfg(test)]
mod tests {
    use super::{Leaf, TestAuthority, Validity};
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier;
    use rustls::pki_types::{ServerName, UnixTime};

    fn verdict(authority: &TestAuthority, leaf: &Leaf, name: &'static str) -> Result<(), rustls::Error> {
        let provider = rustls::crypto::aws_lc_rs::default_provider().into();
        let verifier = WebPkiServerVerifier::builder_with_provider(authority.roots().into(), provider).build().unwrap();
        let name = ServerName::try_from(name).unwrap();
        verifier.verify_server_cert(&leaf.chain[0], &leaf.chain[1..], &name, &[], UnixTime::now()).map(drop)
    }

    #[test]
    fn clients_believe_what_they_should() {
        let authority = TestAuthority::new("tests");
        let leaf = authority.leaf(&["api.example.org", "127.0.0.1"]);
        verdict(&authority, &leaf, "api.example.org").unwrap();
        verdict(&authority, &leaf, "127.0.0.1").unwrap();
        verdict(&authority, &leaf, "other.example.org").unwrap_err();
        verdict(&TestAuthority::new("tests"), &leaf, "api.example.org").unwrap_err();
        for validity in [Validity::Past, Validity::Future] {
            verdict(&authority, &authority.leaf_valid(&["api.example.org"], validity), "api.example.org").unwrap_err();
        }
        verdict(&authority, &Leaf::self_signed(&["api.example.org"]), "api.example.org").unwrap_err();
    }

    #[test]
    fn pem_has_lines_of_64() {
        let pem = TestAuthority::new("tests").pem();
        let lines: Vec<&str> = pem.lines().collect();
        assert_eq!((lines[0], *lines.last().unwrap()), ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"));
        assert!(lines.iter().all(|line| line.len() <= 64) && lines[1].len() == 64);
    }
}
