use std::fmt;

/// The name of a running bottle, and the identity of its session: `[a-z0-9][a-z0-9-]*`, at most 63 bytes (a DNS label,
/// RFC 1035 §2.3.4, because it is the bottle's host name too).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BottleName(String);

/// Why a text is no bottle name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bad bottle name {0:?}: use 1 to 63 of a-z, 0-9 and '-', and begin with a letter or digit")]
pub struct BottleNameError(String);

impl BottleName {
    /// Longest name, in bytes.
    pub const MAX: usize = 63;

    /// Parses a name.
    ///
    /// # Errors
    /// When the text is empty, too long, or holds anything but lower-case letters, digits and inner hyphens.
    pub fn parse(text: &str) -> Result<Self, BottleNameError> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let ok = (1..=Self::MAX).contains(&text.len()) && text.bytes().all(legal) && !text.starts_with('-');
        if ok { Ok(Self(text.to_owned())) } else { Err(BottleNameError(text.chars().take(80).collect())) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BottleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BottleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::BottleName;

    #[test]
    fn takes_dns_labels_alone() {
        for good in ["a", "fixer-4k2p9", "9to5", &"x".repeat(63)] {
            assert!(BottleName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a.b", "a/b", "..", "a b", "ä", "a\n", &"x".repeat(64)] {
            assert!(BottleName::parse(bad).is_err(), "{bad}");
        }
    }
}
