use std::fmt;

use policy::Shown;

/// The name of a skill, which is a folder's name below the host's and the bottle's skills folders: `[a-z0-9][a-z0-9-]*`,
/// at most 64 bytes. It becomes part of paths on both sides, so it can be nothing else.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SkillName(String);

/// Why a text is no such name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` cannot be the name of a skill: use 1 to 64 of a-z, 0-9 and `-`, and begin with a letter or digit", shown = Shown(.0))]
pub struct SkillNameError(String);

impl SkillName {
    /// Longest name, in bytes.
    pub const MAX: usize = 64;

    /// Parses a name.
    ///
    /// # Errors
    /// When it is empty, too long, or holds anything but a-z, 0-9 and `-` after a letter or digit.
    pub fn parse(text: &str) -> Result<Self, SkillNameError> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let ok = (1..=Self::MAX).contains(&text.len()) && text.bytes().all(legal) && !text.starts_with('-');
        if ok { Ok(Self(text.to_owned())) } else { Err(SkillNameError(text.to_owned())) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SkillName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SkillName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::SkillName;

    /// Threat: the original joined any string below the skills folder and put it into a root shell.
    #[test]
    fn no_path_no_command_no_flood() {
        for good in ["a", "9to5", "write-tests"] {
            assert!(SkillName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "../../.ssh", "/etc", "$(id)", "a;b", "-rf", "a b", "a\nb", "A", &"a".repeat(10_000)] {
            assert!(SkillName::parse(bad).is_err());
        }
    }
}
