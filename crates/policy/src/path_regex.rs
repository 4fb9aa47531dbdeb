use regex::bytes::{Regex, RegexBuilder};

use crate::Shown;

/// A regular expression for whole paths, compiled within bounds. Two are equal when their sources are.
#[derive(Debug, Clone)]
pub struct PathRegex {
    source: String,
    whole: Regex,
}

/// Why a regular expression is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathRegexError {
    /// Its source is too long.
    #[error("the regular expression is {bytes} bytes long: at most {max} are allowed; use several entries", max = PathRegex::MAX)]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// It does not compile, or becomes too large.
    #[error("`{shown}` is no usable regular expression: {why}", shown = Shown(.source_text))]
    Bad {
        /// The expression.
        source_text: String,
        /// What the compiler says, in one line.
        why: String,
    },
}

impl PathRegex {
    /// Longest source, in bytes.
    pub const MAX: usize = 1024;
    /// Largest compiled program, in bytes: bounds what `(a{1000}){1000}` may cost.
    const MAX_PROGRAM: usize = 256 * 1024;

    /// Compiles `source`, which must match a path as a whole: `/api/.*` does not match `/x/api/y`.
    ///
    /// Matching is over bytes without Unicode tables (a normalised path is ASCII or raw bytes) and in time linear in the
    /// path's length: no expression can make it slow.
    ///
    /// # Errors
    /// When it is too long, does not compile, or compiles into too large a program.
    pub fn parse(source: &str) -> Result<Self, PathRegexError> {
        if source.len() > Self::MAX {
            return Err(PathRegexError::TooLong { bytes: source.len() });
        }
        // The source alone first: `a)|(b` is balanced only inside our own group.
        compile(source).map_err(|why| PathRegexError::Bad { source_text: source.to_owned(), why })?;
        let whole =
            compile(&format!(r"\A(?:{source})\z")).map_err(|why| PathRegexError::Bad { source_text: source.to_owned(), why })?;
        Ok(Self { source: source.to_owned(), whole })
    }

    /// The expression as it was written.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether it matches the whole of `path`.
    pub fn is_match(&self, path: &[u8]) -> bool {
        self.whole.is_match(path)
    }
}

impl PartialEq for PathRegex {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for PathRegex {}

fn compile(source: &str) -> Result<Regex, String> {
    RegexBuilder::new(source).unicode(false).size_limit(PathRegex::MAX_PROGRAM).nest_limit(32).build().map_err(|error| {
        let text = error.to_string();
        // The last line says what is wrong; those before draw the expression, which the manifest's own caret does better.
        text.lines().last().unwrap_or(&text).trim_start_matches("error: ").to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::{PathRegex, PathRegexError};

    #[test]
    fn matches_whole_paths_alone() {
        let regex = PathRegex::parse("/api/v[0-9]+|/status").unwrap();
        for (path, matches) in
            [("/api/v12", true), ("/status", true), ("/api/v1/x", false), ("/x/status", false), ("/status\n", false)]
        {
            assert_eq!(regex.is_match(path.as_bytes()), matches, "{path:?}");
        }
    }

    #[test]
    fn bounds_and_syntax() {
        assert!(matches!(PathRegex::parse(&"a".repeat(2000)), Err(PathRegexError::TooLong { bytes: 2000 })));
        for bad in ["(", "a)|(b", "(a{1000}){1000}", &"(".repeat(500), "(?x) a # comment"] {
            assert!(matches!(PathRegex::parse(bad), Err(PathRegexError::Bad { .. })), "{bad}");
        }
    }
}
