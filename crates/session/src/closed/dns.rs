/// The answer REFUSED (RFC 1035 §4.1.1: rcode 5) to a query, with its id and question; `None` for what is no query, so that
/// two resolvers can never be set to answer each other.
pub(super) fn refused(query: &[u8]) -> Option<Vec<u8>> {
    let header = query.get(..12)?;
    let is_answer = header[2] & 0x80 != 0;
    if is_answer {
        return None;
    }
    let question = question(query);
    let mut answer = Vec::with_capacity(12 + question.map_or(0, <[u8]>::len));
    answer.extend_from_slice(&header[..2]);
    // QR set, opcode and RD as asked, AA and TC clear; RA set, rcode 5.
    answer.extend_from_slice(&[0x80 | (header[2] & 0x79), 0x85]);
    answer.extend_from_slice(&[0, u8::from(question.is_some()), 0, 0, 0, 0, 0, 0]);
    answer.extend_from_slice(question.unwrap_or_default());
    Some(answer)
}

/// What a query asks for, for the record: `A example.com`.
pub(super) fn asked(query: &[u8]) -> String {
    let Some(question) = question(query) else { return "malformed query".to_owned() };
    let (name, kind) = question.split_at(question.len() - 4);
    let kind = u16::from_be_bytes([kind[0], kind[1]]);
    format!("{} {}", type_name(kind), labels(name))
}

/// The first question's bytes: name, type, class (RFC 1035 §4.1.2). A compression pointer is malformed here: there is nothing
/// before it to point at.
fn question(query: &[u8]) -> Option<&[u8]> {
    if u16::from_be_bytes([*query.get(4)?, *query.get(5)?]) == 0 {
        return None;
    }
    let mut at = 12;
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        match length {
            0 => break,
            1..=63 => at += length,
            _ => return None,
        }
        if at - 12 > 255 {
            return None;
        }
    }
    query.get(12..at + 4)
}

fn labels(mut name: &[u8]) -> String {
    let mut text = String::new();
    while let [length, rest @ ..] = name {
        let length = usize::from(*length).min(rest.len());
        if length == 0 {
            break;
        }
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(&String::from_utf8_lossy(&rest[..length]));
        name = &rest[length..];
    }
    if text.is_empty() { ".".to_owned() } else { text }
}

fn type_name(kind: u16) -> String {
    match kind {
        1 => "A".to_owned(),
        2 => "NS".to_owned(),
        5 => "CNAME".to_owned(),
        12 => "PTR".to_owned(),
        15 => "MX".to_owned(),
        16 => "TXT".to_owned(),
        28 => "AAAA".to_owned(),
        33 => "SRV".to_owned(),
        65 => "HTTPS".to_owned(),
        255 => "ANY".to_owned(),
        other => format!("TYPE{other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{asked, refused};

    const QUERY: &[u8] = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01\x07example\x03com\x00\x00\x1c\x00\x01\x00\x00\x29";

    #[test]
    fn refuses_with_id_and_question() {
        let answer = refused(QUERY).unwrap();
        assert_eq!(answer, b"\x12\x34\x81\x85\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x1c\x00\x01");
        assert_eq!(asked(QUERY), "AAAA example.com");
    }

    #[test]
    fn never_answers_an_answer_or_a_stump() {
        let mut answer = QUERY.to_vec();
        answer[2] |= 0x80;
        assert_eq!(refused(&answer), None);
        assert_eq!(refused(&QUERY[..11]), None);
    }

    #[test]
    fn hostile_bytes_give_an_answer_without_a_question() {
        for length in 12..QUERY.len() - 4 {
            let answer = refused(&QUERY[..length]).unwrap();
            assert!(answer.len() == 12 || answer[5] == 1, "{length}");
        }
        let pointer = b"\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01";
        assert_eq!(refused(pointer).unwrap().len(), 12);
        assert_eq!(asked(pointer), "malformed query");
        let endless: Vec<u8> = QUERY[..12].iter().copied().chain(std::iter::repeat_n(1, 65_000)).collect();
        assert_eq!(refused(&endless).unwrap().len(), 12);
    }
}
