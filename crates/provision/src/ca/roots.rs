use super::certificate::Certificate;
use super::key_store::Entries;

/// The public roots that the host trusts: what programs in a bottle need besides the session's own authority, for hosts whose
/// TLS passes through as it is. Made once, before a bottle exists.
#[derive(Debug, Clone, Default)]
pub struct Roots {
    pub(super) pem: String,
    pub(super) java: Entries,
}

impl Roots {
    /// Takes the certificates of a PEM text (RFC 7468), a bundle of the system's for instance, and nothing else of it. What only
    /// looks like one is left out: a single bad entry would make the whole store unreadable to Java.
    pub fn from_pem(text: &str) -> Self {
        let mut roots = Self::default();
        let certificates = Certificate::all_of_pem(text);
        certificates.iter().enumerate().for_each(|(number, certificate)| roots.add(number, certificate));
        roots
    }

    fn add(&mut self, number: usize, certificate: &Certificate) {
        certificate.write_pem(&mut self.pem);
        self.java.add(&format!("host-{number}"), certificate);
    }
}
