use secret::Secret;

use super::Document;

/// The claims of a JSON Web Token (RFC 7519 §3), as they stand in it: whoever issued the token answers for them, and nothing is
/// decided by them but when to refresh and what to show to an agent's program.
pub(super) fn claims(token: &str) -> Option<Document> {
    let mut parts = token.split('.');
    let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    Document::parse(decode(payload)?.reveal())
}

/// Decodes base64url without padding (RFC 4648 §5).
fn decode(text: &str) -> Option<Secret> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in text.trim_end_matches('=').bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    Some(Secret::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::{claims, decode};

    #[test]
    fn base64url_as_in_the_standard() {
        for (text, bytes) in [("", ""), ("Zg", "f"), ("Zm8", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar"), ("Zg==", "f")] {
            assert_eq!(decode(text).unwrap().reveal(), bytes.as_bytes());
        }
        assert_eq!(decode("-_8").unwrap().reveal(), [0xfb, 0xff]);
        assert!(decode("a+b").is_none() && decode("a b").is_none());
    }

    #[test]
    fn only_three_parts_are_a_token() {
        assert_eq!(claims("e30.eyJleHAiOjd9.x").unwrap().at(&["exp"]).unwrap(), 7);
        assert!(claims("eyJleHAiOjd9").is_none() && claims("a.!.c").is_none());
    }
}
