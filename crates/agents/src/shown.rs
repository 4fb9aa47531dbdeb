use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

/// A name or path that came from a bottle, a repository or the host, for a message: control characters are shown escaped,
/// so that a name cannot steer the person's terminal.
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
            if c.is_control() { write!(f, "{}", c.escape_default())? } else { write!(f, "{c}")? }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Shown;

    #[test]
    fn escapes_terminal_sequences() {
        assert_eq!(Shown::text("a\x1b]52;c;x\x07\nb ä").to_string(), "a\\u{1b}]52;c;x\\u{7}\\nb ä");
    }
}
