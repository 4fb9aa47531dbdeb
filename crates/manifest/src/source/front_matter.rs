use std::ops::Range;

use super::SourceFile;
use crate::Diagnostic;

/// Largest front matter, in bytes.
const MAX: usize = 256 << 10;

/// Where a manifest's two parts are in its file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    /// The YAML between the two `---` lines.
    pub yaml: Range<usize>,
    /// All after them.
    pub body: Range<usize>,
}

/// Cuts a file into front matter and body.
pub(crate) fn split(source: &SourceFile) -> Result<Parts, Box<Diagnostic>> {
    const SHAPE: &str = "a manifest begins with a line `---`, then YAML, then another line `---`, then text";
    let text = source.text();
    let first = source.line_range(1);
    if text[first.clone()].trim_end() != "---" {
        return Err(Box::new(source.diagnostic(first, "the file has no front matter: its first line is not `---`").help(SHAPE)));
    }
    let start = (first.end + 1).min(text.len());
    let mut at = start;
    for line in text[start..].split_inclusive('\n') {
        let next = at + line.len();
        if line.trim_end() == "---" {
            if at - start > MAX {
                let message = format!("the front matter is {} bytes long, and at most {MAX} are read", at - start);
                return Err(Box::new(source.diagnostic(first, message)));
            }
            return Ok(Parts { yaml: start..at, body: next..text.len() });
        }
        at = next;
    }
    Err(Box::new(source.diagnostic(first, "the front matter that begins here has no end").help(SHAPE)))
}

#[cfg(test)]
mod tests {
    use super::{Parts, SourceFile, split};

    fn parts(text: &str) -> Option<Parts> {
        split(&SourceFile::new("x.md".into(), text.to_owned())).ok()
    }

    #[test]
    fn two_lines_of_dashes() {
        assert_eq!(parts("---\na: 1\n---\nbody\n"), Some(Parts { yaml: 4..9, body: 13..18 }));
        assert_eq!(parts("---\n---"), Some(Parts { yaml: 4..4, body: 7..7 }));
        assert_eq!(parts("---  \n--- \n--- \n"), Some(Parts { yaml: 6..6, body: 11..16 }));
        for none in ["", "a: 1", "--- \na: 1\n", "\n---\n---\n", "----\n---\n", "---\n ---\n"] {
            assert_eq!(parts(none), None, "{none:?}");
        }
    }
}
