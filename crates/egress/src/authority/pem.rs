/// DER in PEM (RFC 7468 §2): base64 in lines of 64.
pub(super) fn encode(label: &str, der: &[u8]) -> String {
    let base64: Vec<u8> = der.chunks(3).flat_map(quantum).collect();
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in base64.chunks(64) {
        text.extend(line.iter().map(|byte| char::from(*byte)));
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

/// One to three bytes as four letters (RFC 4648 §4).
fn quantum(bytes: &[u8]) -> [u8; 4] {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let byte = |at: usize| usize::from(bytes.get(at).copied().unwrap_or(0));
    let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    let letter = |shift: u32| ALPHABET[bits >> shift & 63];
    let [a, b, c, d] = [letter(18), letter(12), letter(6), letter(0)];
    match bytes.len() {
        1 => [a, b, b'=', b'='],
        2 => [a, b, c, b'='],
        _ => [a, b, c, d],
    }
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn is_base64_of_rfc_4648() {
        for (bytes, expected) in [("", ""), ("f", "Zg==\n"), ("fo", "Zm8=\n"), ("foo", "Zm9v\n"), ("foobar", "Zm9vYmFy\n")] {
            assert_eq!(encode("X", bytes.as_bytes()), format!("-----BEGIN X-----\n{expected}-----END X-----\n"));
        }
        assert!(encode("X", &[255; 100]).lines().all(|line| line.len() <= 64));
    }
}
