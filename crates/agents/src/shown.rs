use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

/// A name or path that came from a bottle, a repository or the host, for a message: control characters are shown escaped,
/// so that a name can neither steer the person's terminal nor look like another one.
pub struct Shown<'a>(pub &'a OsStr);

impl<'a> Shown<'a> {
    /// A path.
    pub fn path(path: &'a Path) -> Self {
        Self(path.as_os_str())
    }

    /// A text.
    pub fn text(text: &'a str) -> Self {
        Self(OsStr::new(text))
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.to_string_lossy().chars() {
            if steers(c) { write!(f, "{}", c.escape_default())? } else { write!(f, "{c}")? }
        }
        Ok(())
    }
}

/// C0, C1 and DEL; and the bidirectional controls and separators that make a text look like another one (UAX #9).
fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::Shown;

    #[test]
    fn escapes_terminal_sequences() {
        assert_eq!(Shown::text("a\x1b]52;c;x\x07\nb\u{202e} ä").to_string(), "a\\u{1b}]52;c;x\\u{7}\\nb\\u{202e} ä");
    }
}
