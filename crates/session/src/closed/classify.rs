/// What the first bytes of a connection are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A TLS handshake record (RFC 8446 §5.1: content type 22, version 3.x).
    Tls,
    /// Something that may be an HTTP/1 request, and whether its head is complete.
    Http {
        /// The empty line has been seen.
        complete: bool,
    },
    /// Too little to tell.
    Undecided,
    /// Anything else: SSH, SMTP, raw bytes.
    Other,
}

/// Judges what has arrived so far. Total: any bytes give an answer.
pub(super) fn classify(bytes: &[u8]) -> Kind {
    match bytes {
        [] | [0x16] => Kind::Undecided,
        [0x16, 0x03, ..] => Kind::Tls,
        [first, ..] if first.is_ascii_uppercase() => match bytes.iter().position(|byte| !is_method(*byte)) {
            None if bytes.len() <= 16 => Kind::Undecided,
            Some(end) if end <= 16 && bytes[end] == b' ' => Kind::Http { complete: has_blank_line(bytes) },
            None | Some(_) => Kind::Other,
        },
        _ => Kind::Other,
    }
}

fn is_method(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte == b'-' || byte == b'_'
}

fn has_blank_line(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|window| window == b"\r\n\r\n") || bytes.windows(2).any(|window| window == b"\n\n")
}

#[cfg(test)]
mod tests {
    use super::{Kind, classify};

    #[test]
    fn tells_tls_http_and_the_rest_apart() {
        assert_eq!(classify(b""), Kind::Undecided);
        assert_eq!(classify(b"\x16"), Kind::Undecided);
        assert_eq!(classify(b"\x16\x03\x01\x02\x00"), Kind::Tls);
        assert_eq!(classify(b"\x16\x02"), Kind::Other);
        assert_eq!(classify(b"GE"), Kind::Undecided);
        assert_eq!(classify(b"GET / HTTP/1.1\r\n"), Kind::Http { complete: false });
        assert_eq!(classify(b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"), Kind::Http { complete: true });
        assert_eq!(classify(b"GET / HTTP/1.1\n\n"), Kind::Http { complete: true });
        assert_eq!(classify(b"SSH-2.0-OpenSSH"), Kind::Other);
        assert_eq!(classify(b"\x00\xff\x00"), Kind::Other);
        assert_eq!(classify(&[b'A'; 17]), Kind::Other);
    }

    #[test]
    fn every_prefix_of_random_bytes_has_an_answer() {
        // A fixed multiplicative sequence: the same bytes in every run.
        let bytes: Vec<u8> = (1u32..4000).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let answers = (0..bytes.len()).filter(|length| classify(&bytes[..*length]) == Kind::Undecided).count();
        assert!(answers < 20, "{answers}");
    }
}
