use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use crate::steers;

/// A name, path or text that came from a bottle, a repository or the host, for a message: whatever [`steers()`] is shown
/// escaped (`\u{1b}`), and bytes that are no UTF-8 as U+FFFD.
///
/// Threat: names chosen so that showing them retitles the terminal, writes the clipboard, or makes `evil` look like `safe`.
#[derive(Clone, Copy)]
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

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::path::Path;

    use super::Shown;

    #[test]
    fn makes_what_steers_a_terminal_visible() {
        assert_eq!(Shown::text("a\x1b]52;c;x\x07\n").to_string(), "a\\u{1b}]52;c;x\\u{7}\\n");
        assert_eq!(Shown::path(Path::new("/\u{9b}31m \u{202e}gpj \u{200b}")).to_string(), "/\\u{9b}31m \\u{202e}gpj \\u{200b}");
        assert_eq!(Shown::text("grüße 日本 🍾").to_string(), "grüße 日本 🍾");
        assert_eq!(Shown(OsStr::from_bytes(b"a\xff\x1b")).to_string(), "a\u{fffd}\\u{1b}");
    }
}
