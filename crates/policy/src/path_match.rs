use std::fmt;

use crate::{PathRegex, Shown};

/// Which paths a match is for. Paths are compared decoded and without dot-segments (RFC 3986 §6.2.2), in every reading that a
/// server could make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathMatch {
    /// This path alone.
    Exact(PathValue),
    /// This path and all below it, by whole segments: `/api` covers `/api/x` and not `/apiary`.
    Prefix(PathValue),
    /// Paths that match as a whole.
    Regex(PathRegex),
}

impl PathMatch {
    /// Whether `path`, in one reading, is one of them.
    pub fn is_match(&self, path: &[u8]) -> bool {
        match self {
            Self::Exact(value) => path == value.as_str().as_bytes(),
            Self::Prefix(value) => match path.strip_prefix(value.as_str().as_bytes()) {
                // `/api/` itself ends in a slash: all that follows is below it.
                Some(rest) => rest.is_empty() || rest.starts_with(b"/") || value.as_str().ends_with('/'),
                None => false,
            },
            Self::Regex(regex) => regex.is_match(path),
        }
    }
}

impl fmt::Display for PathMatch {
    /// `/status`, `/api and below`, or ``like `/items/[0-9]+` ``.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(value) => write!(f, "{}", Shown(value.as_str())),
            Self::Prefix(value) => write!(f, "{} and below", Shown(value.as_str())),
            Self::Regex(regex) => write!(f, "like `{}`", Shown(regex.as_str())),
        }
    }
}

/// The three kinds of [`PathMatch`], as manifests write them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathMatchKind {
    /// `exact`
    Exact,
    /// `prefix`
    Prefix,
    /// `regex`
    Regex,
}

impl PathMatchKind {
    /// All kinds, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Exact, Self::Prefix, Self::Regex];

    /// As manifests write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Prefix => "prefix",
            Self::Regex => "regex",
        }
    }

    /// The kind with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A path in its normalised form: begins with `/`, segments neither empty nor `.` nor `..`, nothing percent-encoded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathValue(String);

/// Why a text is no path to match.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` can match no path: {why}", shown = Shown(.text))]
pub struct PathValueError {
    /// The text.
    pub text: String,
    /// What is wrong with it, and what to write.
    pub why: &'static str,
}

impl PathValue {
    /// Longest path, in bytes.
    pub const MAX: usize = 1024;

    /// Parses a path that could be the path of a normalised request.
    ///
    /// # Errors
    /// When no normalised path could ever equal it: such a rule would look like protection and be none.
    pub fn parse(text: &str) -> Result<Self, PathValueError> {
        match fault(text) {
            Some(why) => Err(PathValueError { text: text.to_owned(), why }),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PathValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn fault(text: &str) -> Option<&'static str> {
    let Some(rest) = text.strip_prefix('/') else { return Some("a path begins with `/`") };
    if text.len() > PathValue::MAX {
        return Some("it is longer than 1024 bytes");
    }
    if text.chars().any(|c| c.is_control() || c == ' ') {
        return Some("it holds a space or a control character");
    }
    if text.contains(['?', '#']) {
        return Some("a query or fragment is no part of the path and cannot be matched");
    }
    if text.contains('%') {
        return Some("paths are compared decoded; write the character itself instead of its percent-encoding");
    }
    if text.contains(['*', '\\']) {
        return Some("globs and backslashes do not exist here; use type `prefix` or `regex`");
    }
    if rest.split('/').any(|segment| segment.starts_with('.') && segment.bytes().all(|b| b == b'.')) {
        return Some("segments of dots are removed or refused before paths are compared; write the path they lead to");
    }
    text.contains("//").then_some("two slashes stand next to each other")
}

#[cfg(test)]
mod tests {
    use super::{PathMatch, PathMatchKind, PathValue};

    #[test]
    fn takes_normalised_paths_alone() {
        for good in ["/", "/api", "/api/", "/a.b/~c/;d=1", "/.well-known/..a"] {
            assert_eq!(PathValue::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "", "api", "//", "/...", "/a//b", "/a/../b", "/a/..", "/./a", "/a%2f", "/a?b", "/a#b", "/a b", "/a\n", "/a/*",
            "/a\\b",
        ] {
            assert!(PathValue::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn prefixes_are_whole_segments() {
        let covers = |prefix: &str, path: &str| PathMatch::Prefix(PathValue::parse(prefix).unwrap()).is_match(path.as_bytes());
        for (prefix, path) in
            [("/api", "/api"), ("/api", "/api/"), ("/api", "/api/x"), ("/api/", "/api/x"), ("/", "/"), ("/", "/x")]
        {
            assert!(covers(prefix, path), "{prefix} {path}");
        }
        for (prefix, path) in
            [("/api", "/apiary"), ("/api", "/API"), ("/api", "/"), ("/api/", "/api"), ("/api", "/x/api"), ("/", "*")]
        {
            assert!(!covers(prefix, path), "{prefix} {path}");
        }
    }

    #[test]
    fn kinds_have_names() {
        for kind in PathMatchKind::ALL {
            assert_eq!(PathMatchKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(PathMatchKind::parse("glob"), None);
    }
}
