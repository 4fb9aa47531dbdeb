use std::fmt;

/// Text from a manifest, a repository or a bottle, made safe to show: control characters, bidirectional overrides and
/// invisible characters are escaped, and what is longer than [`Shown::MAX`] characters is cut.
///
/// Threat: a file name or value with terminal escapes could set the title, write the clipboard (OSC 52), or hide what it
/// really says ("Trojan Source", CVE-2021-42574).
#[derive(Clone, Copy)]
pub struct Shown<'a>(pub &'a str);

impl Shown<'_> {
    /// Longest text that is shown whole, in characters.
    pub const MAX: usize = 120;

    /// Whether `c` could steer a terminal or hide text.
    pub fn is_unsafe(c: char) -> bool {
        ::shown::steers(c)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, c) in self.0.chars().enumerate() {
            if count == Self::MAX {
                return f.write_str("…");
            }
            if Self::is_unsafe(c) { write!(f, "{}", c.escape_default())? } else { write!(f, "{c}")? }
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
    use super::Shown;

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(Shown("a\u{1b}]52;c;x\u{7}\u{9b}2J").to_string(), r"a\u{1b}]52;c;x\u{7}\u{9b}2J");
        assert_eq!(Shown("safe\u{202e}evil\u{200b}").to_string(), r"safe\u{202e}evil\u{200b}");
        assert_eq!(Shown("wörk\n").to_string(), r"wörk\n");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(Shown(&"x".repeat(10_000)).to_string(), format!("{}…", "x".repeat(Shown::MAX)));
    }
}
