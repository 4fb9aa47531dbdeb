//! Java's own format for trusted certificates, JKS version 2: what every JDK reads as its `cacerts`, and Debian's is written in.
//! PKCS #12 without a password would do as well, but no JDK before 18 takes it for a trust store.
//!
//! The format has no specification; the reference is `sun.security.provider.JavaKeyStore` of OpenJDK.

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};

use super::certificate::Certificate;

/// Known to everybody and guards nothing: programs that open the store with a password use this one.
const PASSWORD: &str = "changeit";
/// Between the password and the content, so that the digest is no plain one.
const WHITENER: &[u8] = b"Mighty Aphrodite";
const MAGIC: u32 = 0xfeed_feed;
const VERSION: u32 = 2;
const TRUSTED_CERTIFICATE: u32 = 2;

/// Entries of a store, ready to be put into several.
#[derive(Debug, Clone, Default)]
pub(super) struct Entries {
    bytes: Vec<u8>,
    count: u32,
}

impl Entries {
    /// Adds a certificate; `alias` is its name, at most 64 KiB of lower-case ASCII.
    pub fn add(&mut self, alias: &str, certificate: &Certificate) {
        let Ok(length) = u32::try_from(certificate.der().len()) else { return };
        self.bytes.extend(TRUSTED_CERTIFICATE.to_be_bytes());
        self.text(alias);
        // When it was added, in milliseconds since 1970. Nothing depends on it.
        self.bytes.extend(0u64.to_be_bytes());
        self.text("X.509");
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(certificate.der());
        self.count += 1;
    }

    /// `DataOutput.writeUTF`: ASCII is the same in Java's own UTF-8.
    fn text(&mut self, text: &str) {
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(text.bytes().take(usize::from(length)));
    }
}

/// A whole store.
pub(super) fn store(all: &[&Entries]) -> Vec<u8> {
    let count: u32 = all.iter().map(|entries| entries.count).sum();
    let size: usize = all.iter().map(|entries| entries.bytes.len()).sum();
    let mut store = Vec::with_capacity(size + 32);
    for word in [MAGIC, VERSION, count] {
        store.extend(word.to_be_bytes());
    }
    all.iter().for_each(|entries| store.extend(&entries.bytes));
    // SHA-1 is the format's; it protects nothing here, because its key is known.
    let mut digest = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    PASSWORD.encode_utf16().for_each(|unit| digest.update(&unit.to_be_bytes()));
    digest.update(WHITENER);
    digest.update(&store);
    store.extend(digest.finish().as_ref());
    store
}
