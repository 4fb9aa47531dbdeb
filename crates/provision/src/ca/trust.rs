use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use bottle::GuestPathError;
use data_encoding::HEXUPPER;

use super::certificate::Certificate;
use super::key_store::{self, Entries};
use super::name_hash::name_hash;
use super::places;
use super::roots::Roots;
use crate::part::Part;

/// Whom the programs of one bottle believe: the authority of its session, and the host's public roots.
#[derive(Debug, Clone)]
pub struct Trust {
    authority: Certificate,
    roots: Arc<Roots>,
}

/// Why an authority cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// Its text does not hold exactly one certificate.
    #[error("cannot trust the session's certificate authority: its PEM text holds {0} certificates instead of one")]
    Authority(usize),
}

impl Trust {
    /// Takes the authority's certificate as PEM (RFC 7468).
    ///
    /// # Errors
    /// When there is not exactly one certificate in it.
    pub fn new(authority_pem: &str, roots: Arc<Roots>) -> Result<Self, TrustError> {
        let certificates = Certificate::all_of_pem(authority_pem);
        let [authority] = <[Certificate; 1]>::try_from(certificates).map_err(|all| TrustError::Authority(all.len()))?;
        Ok(Self { authority, roots })
    }

    /// The SHA-256 of the authority's certificate as `openssl x509 -fingerprint -sha256` writes it: `9F:86:…`, 95 characters.
    pub fn fingerprint(&self) -> String {
        let digest = digest(&SHA256, self.authority.der());
        let bytes: Vec<String> = digest.as_ref().iter().map(|byte| HEXUPPER.encode(&[*byte])).collect();
        bytes.join(":")
    }

    /// The files and links, all root's. Neighbours stand together, so that they share what a copy makes for each folder.
    pub(crate) fn parts(&self) -> Result<Vec<Part>, GuestPathError> {
        let mut own = String::new();
        self.authority.write_pem(&mut own);
        // Ours first: programs that show "the first certificate of the bundle" show the one that matters here.
        let bundle = [own.as_str(), &self.roots.pem].concat();
        let mut ours = Entries::default();
        ours.add(places::NAME, &self.authority);
        let java = key_store::store(&[&ours, &self.roots.java]);

        let mut parts = vec![
            places::file(places::AUTHORITY, own)?,
            places::file(places::BUNDLE, bundle)?,
            places::link(places::SINGLE, places::AUTHORITY)?,
        ];
        if let Some(hash) = name_hash(&self.authority) {
            parts.push(places::link(&format!("{}/{hash}.0", places::HASHED), places::SINGLE)?);
        }
        parts.push(places::file(places::KEY_STORE, java)?);
        for (place, target) in places::LINKS {
            parts.push(places::link(place, target)?);
        }
        Ok(parts)
    }
}
