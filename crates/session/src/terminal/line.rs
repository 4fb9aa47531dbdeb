use secret::Secret;
use zeroize::Zeroizing;

/// A line that is being typed. Its bytes are zeroed when they are taken back or dropped.
pub(super) struct Line {
    /// Never grows: a vector that does leaves its bytes behind.
    typed: Zeroizing<Vec<u8>>,
    most: usize,
    escape: Escape,
}

/// What a key did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pressed {
    /// It belongs to the answer.
    Typed,
    /// This many characters were taken back.
    Erased(usize),
    /// It means nothing here.
    Nothing,
    Enter,
    Interrupt,
    /// There is no room for it.
    TooLong,
}

/// Where in a key's escape sequence we are: an arrow key must not put invisible bytes into a secret (ECMA-48 §5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    No,
    Begun,
    Sequence,
}

impl Line {
    /// An empty line of at most `most` bytes.
    pub fn new(most: usize) -> Self {
        Self { typed: Zeroizing::new(Vec::with_capacity(most)), most, escape: Escape::No }
    }

    /// Takes one byte from the terminal.
    pub fn press(&mut self, byte: u8) -> Pressed {
        match (self.escape, byte) {
            (Escape::Begun, b'[' | b'O') => self.skip(Escape::Sequence),
            (Escape::Sequence, 0x20..=0x3f) => Pressed::Nothing,
            (Escape::Sequence, 0x40..=0x7e) => self.skip(Escape::No),
            // Not a sequence after all: the key counts.
            (Escape::No | Escape::Begun | Escape::Sequence, byte) => self.key(byte),
        }
    }

    fn skip(&mut self, to: Escape) -> Pressed {
        self.escape = to;
        Pressed::Nothing
    }

    fn key(&mut self, byte: u8) -> Pressed {
        self.escape = Escape::No;
        match byte {
            b'\r' | b'\n' => Pressed::Enter,
            0x03 => Pressed::Interrupt,
            // Ctrl-D ends nothing that has begun.
            0x04 if self.typed.is_empty() => Pressed::Interrupt,
            0x08 | 0x7f => self.erase(1),
            0x15 => self.erase(usize::MAX),
            0x1b => self.skip(Escape::Begun),
            b'\t' | 0x20.. if self.typed.len() == self.most => Pressed::TooLong,
            b'\t' | 0x20.. => {
                self.typed.push(byte);
                Pressed::Typed
            }
            0x00..=0x1f => Pressed::Nothing,
        }
    }

    /// Takes back characters, which have up to four bytes (RFC 3629).
    fn erase(&mut self, most: usize) -> Pressed {
        let mut erased = 0;
        while erased < most && !self.typed.is_empty() {
            while self.take_back().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            erased += 1;
        }
        Pressed::Erased(erased)
    }

    fn take_back(&mut self) -> Option<u8> {
        let last = self.typed.last_mut()?;
        let byte = std::mem::take(last);
        self.typed.pop();
        Some(byte)
    }

    /// What was typed.
    pub fn into_answer(mut self) -> Secret {
        Secret::new(std::mem::take(&mut *self.typed))
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Pressed};

    fn typed(keys: &[u8]) -> (Pressed, Vec<u8>) {
        let mut line = Line::new(8);
        let mut last = Pressed::Nothing;
        for key in keys {
            last = line.press(*key);
        }
        (last, line.into_answer().reveal().to_vec())
    }

    #[test]
    fn keys_edit_the_line() {
        let cases: [(&[u8], Pressed, &[u8]); 12] = [
            (b"ab\r", Pressed::Enter, b"ab"),
            (b"ab\n", Pressed::Enter, b"ab"),
            (b"ab\x7f", Pressed::Erased(1), b"a"),
            ("a\u{20ac}\x08".as_bytes(), Pressed::Erased(1), b"a"),
            ("a\u{20ac}b\x15".as_bytes(), Pressed::Erased(3), b""),
            (b"\x7f", Pressed::Erased(0), b""),
            (b"ab\x03", Pressed::Interrupt, b"ab"),
            (b"\x04", Pressed::Interrupt, b""),
            (b"ab\x04", Pressed::Nothing, b"ab"),
            (b"a\x00\x16\tb", Pressed::Typed, b"a\tb"),
            (b"12345678", Pressed::Typed, b"12345678"),
            (b"123456789", Pressed::TooLong, b"12345678"),
        ];
        for (keys, pressed, line) in cases {
            assert_eq!(typed(keys), (pressed, line.to_vec()), "{keys:?}");
        }
    }

    #[test]
    fn keys_that_send_sequences_leave_nothing_in_the_line() {
        for keys in [&b"a\x1b[Ab"[..], b"a\x1bOBb", b"a\x1b[3;5~b", b"a\x1b\x1b[Ab", b"a\x1bb"] {
            assert_eq!(typed(keys).1, b"ab", "{keys:?}");
        }
    }

    #[test]
    fn a_half_character_is_taken_back_without_its_neighbours() {
        assert_eq!(typed(b"\x80\x80\x7f").1, b"");
        assert_eq!(typed(b"a\xc3\x7f").1, b"a");
    }
}
