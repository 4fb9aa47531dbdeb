use std::ops::Range;

use policy::Shown;

/// The part of a line that a problem is about, safe to print, and where in it the caret goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub text: String,
    /// Bytes of `text`; never empty unless at its end.
    pub caret: Range<usize>,
}

impl Excerpt {
    /// Characters shown before and after the caret's beginning: a line of a megabyte must not reach the terminal.
    const BEFORE: usize = 80;
    const AFTER: usize = 120;

    /// Takes what is worth showing of `line`, which begins at byte `offset` of its file, around `span` of the file.
    pub fn of(line: &str, offset: usize, span: &Range<usize>, mask: bool) -> Self {
        let start = floor(line, span.start.saturating_sub(offset));
        let end = floor(line, span.end.saturating_sub(offset)).max(start);
        let from = line[..start].char_indices().rev().nth(Self::BEFORE).map_or(0, |(at, _)| at);
        let to = line[start..].char_indices().nth(Self::AFTER).map_or(line.len(), |(at, _)| start + at);
        let mut excerpt = Self { text: String::new(), caret: 0..0 };
        if from > 0 {
            excerpt.text.push('…');
        }
        excerpt.push(&line[from..start]);
        excerpt.caret.start = excerpt.text.len();
        if mask && start < end {
            excerpt.text.push_str("********")
        } else {
            excerpt.push(&line[start..end.min(to)])
        }
        excerpt.caret.end = excerpt.text.len();
        excerpt.push(&line[end.min(to)..to.max(end.min(to))]);
        if mask && end > to || to < line.len() {
            excerpt.text.push('…');
        }
        excerpt
    }

    fn push(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                // As wide as it looks in most editors; a tab would put the caret elsewhere.
                '\t' => self.text.push_str("    "),
                c if Shown::is_unsafe(c) => self.text.extend(c.escape_default()),
                c => self.text.push(c),
            }
        }
    }
}

/// The nearest character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Excerpt;

    #[test]
    fn escapes_and_moves_the_caret() {
        let excerpt = Excerpt::of("a\u{1b}: é\tx", 10, &(13..15), false);
        assert_eq!(excerpt.text, r"a\u{1b}: é    x");
        let excerpt = Excerpt::of("\u{1b}key: value", 0, &(1..4), false);
        assert_eq!(&excerpt.text[excerpt.caret.clone()], "key");
    }

    #[test]
    fn masks_a_pasted_credential() {
        let excerpt = Excerpt::of("token_ref: sk-canary # x", 0, &(11..20), true);
        assert_eq!(excerpt.text, "token_ref: ******** # x");
        let long = format!("token_ref: {}", "canary".repeat(100));
        assert!(!Excerpt::of(&long, 0, &(11..long.len()), true).text.contains("canary"));
    }

    proptest! {
        #[test]
        fn any_line_and_span_is_bounded_and_safe(line in "\\PC*|.*", start in 0usize..5000, length in 0usize..5000, mask: bool) {
            let line = line.replace('\n', "");
            let excerpt = Excerpt::of(&line.repeat(20), 0, &(start..start + length), mask);
            prop_assert!(excerpt.text.is_char_boundary(excerpt.caret.start) && excerpt.text.is_char_boundary(excerpt.caret.end));
            prop_assert!(!excerpt.text.chars().any(char::is_control));
            prop_assert!(excerpt.text.len() < 10 * (Excerpt::BEFORE + Excerpt::AFTER + 20));
        }
    }
}
