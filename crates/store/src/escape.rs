use std::fmt::Write as _;

/// `text` with every character that could steer a terminal made visible: C0 and C1 controls, DEL, and the
/// Unicode controls that reorder or hide text (UAX #9 bidirectional, zero width, tags).
///
/// Threat: a repository or a bottle chooses names so that showing them retitles the terminal, writes the clipboard (OSC 52)
/// or makes `evil` look like `safe`.
pub fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || steers(c) {
            // Writing to a String cannot fail.
            let _ = write!(shown, "{}", c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

fn steers(c: char) -> bool {
    matches!(c,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn makes_what_steers_a_terminal_visible() {
        assert_eq!(escape("a\x1b]52;c;x\x07\n"), "a\\u{1b}]52;c;x\\u{7}\\n");
        assert_eq!(escape("\u{9b}31m \u{202e}gpj \u{200b}"), "\\u{9b}31m \\u{202e}gpj \\u{200b}");
        assert_eq!(escape("grüße 日本 🍾"), "grüße 日本 🍾");
    }
}
