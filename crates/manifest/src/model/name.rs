use std::fmt;

use policy::Shown;

/// The name of an agent or a bottle, which is its file's name without `.md`: `[a-z][a-z0-9-]*`, at most 57 bytes, so that
/// `<name>-<5 characters>` is still a DNS label (RFC 1035 §2.3.4).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ManifestName(String);

/// Why a text is no such name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` cannot be the name of an agent or a bottle: use 1 to 57 of a-z, 0-9 and `-`, and begin with a letter", shown = Shown(.0))]
pub struct ManifestNameError(String);

impl ManifestName {
    /// Longest name, in bytes.
    pub const MAX: usize = 57;

    /// Parses a name.
    ///
    /// # Errors
    /// When it is empty, too long, or holds anything but a-z, 0-9 and `-` after a letter. A path is never a name.
    pub fn parse(text: &str) -> Result<Self, ManifestNameError> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let ok = text.len() <= Self::MAX && text.bytes().all(legal) && text.starts_with(|c: char| c.is_ascii_lowercase());
        if ok { Ok(Self(text.to_owned())) } else { Err(ManifestNameError(text.to_owned())) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ManifestName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ManifestName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::ManifestName;

    #[test]
    fn a_path_is_never_a_name() {
        for good in ["a", "fixer", "base-claude-2"] {
            assert!(ManifestName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "9a", "A", "a/b", "../a", "a.md", "a b", "ä", "a\n", &"x".repeat(58)] {
            assert!(ManifestName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
