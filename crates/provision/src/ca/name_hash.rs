//! The name under which OpenSSL looks for an authority in a folder: a hash of its subject (`X509_NAME_hash`, as `openssl rehash`
//! and c_rehash(1) name links since OpenSSL 1.0.0).

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::certificate::{Certificate, SEQUENCE, element, expect};

const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
/// UTF8String, PrintableString, IA5String, VisibleString, and TeletexString, whose ASCII is the same (X.680, section 41).
const TEXTS: [u8; 5] = [UTF8_STRING, 0x13, 0x16, 0x1a, 0x14];
const SET: u8 = 0x31;

/// Eight hexadecimal digits; `None` when the subject holds other texts than those of today's certificates.
pub(super) fn name_hash(certificate: &Certificate) -> Option<String> {
    let mut canonical = Vec::new();
    let mut names = certificate.subject();
    while !names.is_empty() {
        let (attributes, rest) = expect(names, SET)?;
        write(&mut canonical, SET, &canonical_attributes(attributes)?);
        names = rest;
    }
    // SHA-1 is what OpenSSL does; it finds a file, it vouches for nothing.
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, &canonical);
    let first = digest.as_ref().first_chunk::<4>()?;
    Some(format!("{:08x}", u32::from_le_bytes(*first)))
}

/// Each as UTF-8 in lower case, spaces at the ends dropped and others made one (`x509_name_canon` in OpenSSL's x_name.c).
fn canonical_attributes(mut attributes: &[u8]) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    while !attributes.is_empty() {
        let (attribute, rest) = expect(attributes, SEQUENCE)?;
        let (kind, value) = expect(attribute, OBJECT_IDENTIFIER)?;
        let (tag, text, _) = element(value).filter(|(tag, _, _)| TEXTS.contains(tag))?;
        let text = std::str::from_utf8(text).ok().filter(|text| tag == UTF8_STRING || text.is_ascii())?.to_ascii_lowercase();
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let mut canonical = Vec::new();
        write(&mut canonical, OBJECT_IDENTIFIER, kind);
        write(&mut canonical, UTF8_STRING, words.join(" ").as_bytes());
        let mut whole = Vec::new();
        write(&mut whole, SEQUENCE, &canonical);
        all.push(whole);
        attributes = rest;
    }
    // A set is in order (X.690, section 11.6).
    all.sort();
    Some(all.concat())
}

/// Appends an element in DER.
fn write(to: &mut Vec<u8>, tag: u8, content: &[u8]) {
    to.push(tag);
    let length = content.len().to_be_bytes();
    let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    match length.as_slice() {
        [] => to.push(0),
        [short @ 0..0x80] => to.push(*short),
        // At most eight bytes (X.690, section 8.1.3).
        long => {
            to.push(0x80 | long.len() as u8);
            to.extend(long);
        }
    }
    to.extend(content);
}
