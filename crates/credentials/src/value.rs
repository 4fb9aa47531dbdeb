use secret::Secret;

/// Longest credential, in bytes.
pub(crate) const MOST: usize = 64 * 1024;

/// Why bytes are no credential. Never says them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ValueError {
    /// Nothing, or white space alone.
    #[error("is empty")]
    Empty,
    /// More than [`MOST`].
    #[error("holds more than 64 KB")]
    TooLong,
    /// Threat: a second line would be a header of its own.
    #[error("holds more than one line")]
    Lines,
    /// Threat: servers end a header at a NUL byte in different ways.
    #[error("holds a NUL byte")]
    Nul,
    /// Not a character that a header carries the same everywhere (RFC 9110 §5.5).
    #[error("holds a character that no header can carry: only visible ASCII and blanks can")]
    NoHeader,
}

/// Takes a credential out of what a source gave: white space around it is not part of it.
pub(crate) fn parse(given: &Secret) -> Result<Secret, ValueError> {
    if given.reveal().len() > MOST {
        return Err(ValueError::TooLong);
    }
    let value = given.reveal().trim_ascii();
    if value.is_empty() {
        return Err(ValueError::Empty);
    }
    for byte in value {
        match byte {
            0 => return Err(ValueError::Nul),
            b'\n' | b'\r' => return Err(ValueError::Lines),
            0x20..=0x7e => {}
            0x01..=0x1f | 0x7f..=0xff => return Err(ValueError::NoHeader),
        }
    }
    Ok(Secret::new(value))
}

#[cfg(test)]
mod tests {
    use secret::Secret;

    use super::{MOST, ValueError, parse};

    #[test]
    fn white_space_around_it_is_not_part_of_it() {
        assert_eq!(parse(&Secret::from(" \tsk-1 2\r\n\n")), Ok(Secret::from("sk-1 2")));
    }

    #[test]
    fn what_no_header_can_carry_is_refused() {
        for (given, error) in [
            (&b" \n"[..], ValueError::Empty),
            (b"a\nX-Evil: 1", ValueError::Lines),
            (b"a\rb", ValueError::Lines),
            (b"a\0b", ValueError::Nul),
            (b"a\x1bb", ValueError::NoHeader),
            ("grün".as_bytes(), ValueError::NoHeader),
            (&vec![b'a'; MOST + 1], ValueError::TooLong),
        ] {
            assert_eq!(parse(&Secret::new(given)), Err(error));
        }
        assert!(parse(&Secret::new(vec![b'a'; MOST])).is_ok());
    }
}
