use data_encoding::BASE64;

/// DER in PEM (RFC 7468 §2): base64 in lines of 64.
pub(super) fn encode(label: &str, der: &[u8]) -> String {
    let base64 = BASE64.encode(der).into_bytes();
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in base64.chunks(64) {
        text.extend(line.iter().map(|byte| char::from(*byte)));
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
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
