use data_encoding::BASE64;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
/// Characters of a line of PEM (RFC 7468, section 2).
const LINE: usize = 64;

/// One X.509 certificate (RFC 5280), looked at as far as is needed here: that it is one, and what its subject is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificate {
    der: Vec<u8>,
}

impl Certificate {
    /// A certificate in DER; `None` for anything else, and for one that something follows.
    pub fn from_der(der: Vec<u8>) -> Option<Self> {
        subject(&der)?;
        Some(Self { der })
    }

    /// Every certificate of a PEM text (RFC 7468), in order. What else is in it is left out, private keys above all: people keep
    /// a key and its certificates in one file, and nothing but certificates may go into a bottle.
    pub fn all_of_pem(text: &str) -> Vec<Self> {
        let sections = text.split(BEGIN).skip(1).filter_map(|rest| rest.split_once(END));
        let ders = sections.filter_map(|(body, _)| {
            let body: Vec<u8> = body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
            BASE64.decode(&body).ok()
        });
        ders.filter_map(Self::from_der).collect()
    }

    /// Its bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The content of its subject: a sequence of relative names, without the sequence's own head.
    pub fn subject(&self) -> &[u8] {
        subject(&self.der).unwrap_or_default()
    }

    /// Appends it as PEM.
    pub fn write_pem(&self, to: &mut String) {
        let text = BASE64.encode(&self.der);
        to.reserve(text.len() + text.len() / LINE + BEGIN.len() + END.len() + 3);
        to.push_str(BEGIN);
        to.push('\n');
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, next) = rest.split_at(rest.len().min(LINE));
            to.push_str(line);
            to.push('\n');
            rest = next;
        }
        to.push_str(END);
        to.push('\n');
    }
}

/// The subject's content (RFC 5280, section 4.1).
fn subject(der: &[u8]) -> Option<&[u8]> {
    let (certificate, rest) = expect(der, SEQUENCE)?;
    let (signed, _) = expect(certificate, SEQUENCE)?;
    if !rest.is_empty() {
        return None;
    }
    // The version has a tag of its own, and version 1 none at all.
    let mut fields = match element(signed)? {
        (0xa0, _, rest) => rest,
        _ => signed,
    };
    // serialNumber, signature, issuer, validity
    for tag in [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE] {
        fields = expect(fields, tag)?.1;
    }
    expect(fields, SEQUENCE).map(|(subject, _)| subject)
}

const INTEGER: u8 = 0x02;
/// A sequence's tag (X.690, section 8.9).
pub(super) const SEQUENCE: u8 = 0x30;

/// The content of the next element, which must have `tag`, and what follows it.
pub(super) fn expect(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    element(input).filter(|(found, _, _)| *found == tag).map(|(_, content, rest)| (content, rest))
}

/// The next element in DER (X.690, section 8.1): its tag, its content, what follows it. Tags of one byte alone.
pub(super) fn element(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, length], rest) = input.split_first_chunk::<2>()?;
    let (length, rest) = match length {
        0..0x80 => (usize::from(length), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (bytes.iter().fold(0, |all, &byte| all << 8 | usize::from(byte)), rest)
        }
        0x80 | 0x85.. => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}
