use serde_json::{Value, json};

/// A JSON Web Token (RFC 7519) that nobody has signed and nobody takes: Codex reads its claims and believes them.
pub(super) fn unsigned_token(claims: &Value) -> String {
    let header = json!({ "alg": "none", "typ": "JWT" });
    let parts = [header.to_string(), claims.to_string(), "placeholder".to_owned()];
    parts.map(|part| base64url(part.as_bytes())).join(".")
}

/// Encodes as base64url without padding (RFC 4648 §5).
fn base64url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        text.extend((0..=group.len()).map(|at| digit(bits >> (18 - 6 * at) & 0x3f)));
    }
    text
}

fn digit(value: u32) -> char {
    let letter = |first: u8, offset: u32| char::from(first + (offset & 0x3f) as u8);
    match value {
        0..26 => letter(b'A', value),
        26..52 => letter(b'a', value - 26),
        52..62 => letter(b'0', value - 52),
        62 => '-',
        _ => '_',
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{base64url, unsigned_token};

    #[test]
    fn base64url_as_in_the_standard() {
        for (bytes, text) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64url(bytes.as_bytes()), text);
        }
        assert_eq!(base64url(&[0xfb, 0xff, 0xfe]), "-__-");
    }

    #[test]
    fn a_token_has_three_parts() {
        assert_eq!(unsigned_token(&json!({"exp": 7})), "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJleHAiOjd9.cGxhY2Vob2xkZXI");
    }
}
