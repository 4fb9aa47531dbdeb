use std::fmt;
use std::path::Path;

/// Shows a path with its control characters escaped, so that a name in a repository or a bottle cannot steer the person's
/// terminal (title, clipboard, cursor), nor turn the text around (Unicode bidirectional controls).
pub(crate) struct Escaped<'a>(pub(crate) &'a Path);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.to_string_lossy().chars() {
            if steers(c) { write!(f, "{}", c.escape_default())? } else { write!(f, "{c}")? }
        }
        Ok(())
    }
}

/// C0, C1 and DEL; the bidirectional embeddings, overrides, isolates and marks (UAX #9), line and paragraph separators.
fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::Escaped;
    use std::path::Path;

    #[test]
    fn makes_what_steers_a_terminal_visible() {
        assert_eq!(Escaped(Path::new("/a\x1b]0;x\n\u{202e}é ß")).to_string(), "/a\\u{1b}]0;x\\n\\u{202e}é ß");
    }
}
