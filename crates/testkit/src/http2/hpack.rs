/// A header block of literal fields that no table remembers (RFC 7541, section 6.2.2), names as they are given.
pub fn literal(fields: &[(&str, &str)]) -> Vec<u8> {
    fields.iter().flat_map(|(name, value)| [&[0][..], &text(name), &text(value)].concat()).collect()
}

/// A text without Huffman coding (section 5.2).
pub fn text(text: &str) -> Vec<u8> {
    [&prefixed(0, 7, text.len()), text.as_bytes()].concat()
}

/// A field by its number in the tables (section 6.1).
pub fn indexed(number: usize) -> Vec<u8> {
    prefixed(0x80, 7, number)
}

/// A number in the last `bits` of a byte that begins with `pattern`, and in those that follow (section 5.1).
pub fn prefixed(pattern: u8, bits: u32, number: usize) -> Vec<u8> {
    let most = (1_usize << bits) - 1;
    if number < most {
        return vec![pattern | number as u8];
    }
    let (mut bytes, mut rest) = (vec![pattern | most as u8], number - most);
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

/// The status that an answer's header block begins with. It knows the forms that encoders use: a field of the static table, or a
/// literal with a name from it.
pub fn status(block: &[u8]) -> Option<u16> {
    /// Appendix A, from number 8 on.
    const KNOWN: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    match *block {
        [field @ 0x88..=0x8e, ..] => Some(KNOWN[usize::from(field - 0x88)]),
        [0x08..=0x0e | 0x18..=0x1e | 0x48..=0x4e, length, ref rest @ ..] => {
            let value = rest.get(..usize::from(length & 0x7f))?;
            if length & 0x80 == 0 { std::str::from_utf8(value).ok()?.parse().ok() } else { digits(value) }
        }
        _ => None,
    }
}

/// Three digits in Huffman's code (appendix B): 0, 1 and 2 have five bits, the others six.
fn digits(coded: &[u8]) -> Option<u16> {
    let bits: Vec<u8> = coded.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)).collect();
    let (mut at, mut number) = (0, 0);
    for _ in 0..3 {
        let five = bits.get(at..at + 5)?.iter().fold(0, |all, bit| all << 1 | u16::from(*bit));
        let (digit, length) = if five < 3 { (five, 5) } else { ((five << 1 | u16::from(*bits.get(at + 5)?)) - 0x19 + 3, 6) };
        (at, number) = (at + length, number * 10 + digit);
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::{digits, indexed, literal, prefixed, status};

    #[test]
    fn numbers_as_in_the_specification() {
        // Appendix C.1.
        assert_eq!(prefixed(0, 5, 10), [0x0a]);
        assert_eq!(prefixed(0, 5, 1337), [0x1f, 0x9a, 0x0a]);
        assert_eq!(indexed(2), [0x82]);
        assert_eq!(literal(&[("a", "bc")]), [0, 1, b'a', 2, b'b', b'c']);
    }

    #[test]
    fn statuses_as_in_the_specification() {
        // Appendix C.6.1: 302 in Huffman's code.
        assert_eq!(status(&[0x48, 0x82, 0x64, 0x02]), Some(302));
        assert_eq!(digits(&[0x64, 0x02]), Some(302));
        assert_eq!((status(&[0x88]), status(&[0x8d, 0x00])), (Some(200), Some(404)));
        assert_eq!(status(b"\x08\x03421"), Some(421));
        assert_eq!(status(&[0x82]), None);
    }
}
