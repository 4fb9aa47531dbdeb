/// What the first bytes of a connection are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstBytes {
    /// A TLS handshake record (RFC 8446 §5.1: content type 22, version 3.x).
    Tls,
    /// The request line of HTTP/1: a method, a space, and the beginning of a target.
    Http1,
    /// The preface of HTTP/2 (RFC 9113 §3.4), whole.
    Http2,
    /// Too little to tell.
    Undecided,
    /// Anything else: SSH, SMTP, raw bytes.
    Other,
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Longest method that is taken for one.
const METHOD_MAX: usize = 32;

/// Judges what has arrived so far. Total: any bytes give an answer, and at most 34 leave it open.
pub fn first_bytes(bytes: &[u8]) -> FirstBytes {
    match bytes {
        [] | [0x16] => FirstBytes::Undecided,
        [0x16, 0x03, ..] => FirstBytes::Tls,
        [b'P', b'R', b'I', b' ', ..] => preface(bytes),
        [first, ..] if first.is_ascii_alphabetic() => match bytes.iter().position(|byte| !is_method(*byte)) {
            None if bytes.len() <= METHOD_MAX => FirstBytes::Undecided,
            Some(end) if end <= METHOD_MAX && bytes[end] == b' ' => target(&bytes[..end], bytes.get(end + 1)),
            None | Some(_) => FirstBytes::Other,
        },
        _ => FirstBytes::Other,
    }
}

/// A request's target begins with `/`, with `http://`, or is `*` (RFC 9112 §3.2); that of CONNECT is a host. SMTP, FTP and
/// others begin with a word and a space too.
fn target(method: &[u8], first: Option<&u8>) -> FirstBytes {
    match first {
        None => FirstBytes::Undecided,
        Some(b'/' | b'*' | b'h' | b'H') => FirstBytes::Http1,
        Some(_) if method == b"CONNECT" => FirstBytes::Http1,
        Some(_) => FirstBytes::Other,
    }
}

fn preface(bytes: &[u8]) -> FirstBytes {
    if bytes.starts_with(PREFACE) {
        FirstBytes::Http2
    } else if PREFACE.starts_with(bytes) {
        FirstBytes::Undecided
    } else {
        // `PRI` is reserved for the preface (RFC 9113 §11.6), so it is no HTTP/1 method either.
        FirstBytes::Other
    }
}

fn is_method(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{FirstBytes, first_bytes};

    #[test]
    fn tells_tls_http_and_the_rest_apart() {
        for (bytes, expected) in [
            (&b""[..], FirstBytes::Undecided),
            (b"\x16", FirstBytes::Undecided),
            (b"\x16\x03\x01\x02\x00", FirstBytes::Tls),
            (b"\x16\x02", FirstBytes::Other),
            (b"GE", FirstBytes::Undecided),
            (b"GET ", FirstBytes::Undecided),
            (b"GET /", FirstBytes::Http1),
            (b"GET http", FirstBytes::Http1),
            (b"OPTIONS *", FirstBytes::Http1),
            (b"POST / HTTP/1.1\r\n", FirstBytes::Http1),
            (b"CONNECT a:443 HTTP/1.1\r\n", FirstBytes::Http1),
            (b"PRI", FirstBytes::Undecided),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r", FirstBytes::Undecided),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0", FirstBytes::Http2),
            (b"PRI * HTTP/1.1\r\n", FirstBytes::Other),
            (b"SSH-2.0-OpenSSH", FirstBytes::Other),
            (b"EHLO\r\n", FirstBytes::Other),
            (b"EHLO a\r\n", FirstBytes::Other),
            (b"USER root\r\n", FirstBytes::Other),
            (b"\x00\xff\x00", FirstBytes::Other),
            (b" GET / HTTP/1.1", FirstBytes::Other),
            (b"\r\nGET / HTTP/1.1", FirstBytes::Other),
            (&[b'A'; 33], FirstBytes::Other),
        ] {
            assert_eq!(first_bytes(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    proptest! {
        #[test]
        fn more_bytes_never_change_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..60), cut in 0usize..60) {
            let early = first_bytes(&bytes[..cut.min(bytes.len())]);
            prop_assert!(early == FirstBytes::Undecided || early == first_bytes(&bytes));
            prop_assert!(bytes.len() < 35 || first_bytes(&bytes) != FirstBytes::Undecided);
        }
    }
}
