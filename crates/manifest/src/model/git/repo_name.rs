use std::fmt;

use policy::Shown;

/// The name of a repository behind the gate: `[A-Za-z0-9_][A-Za-z0-9._-]*`, at most 100 bytes, not ending in `.git` or `.lock`.
/// It becomes a folder's name and a part of URLs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoName(String);

/// Why a text is no such name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` cannot be the name of a repository: use 1 to 100 letters, digits, `.`, `_` and `-`, begin with a letter, digit or `_`, and leave `.git` off", shown = Shown(.0))]
pub struct RepoNameError(String);

impl RepoName {
    /// Parses a name.
    ///
    /// # Errors
    /// When it could be an option, a path, or another repository's folder.
    pub fn parse(text: &str) -> Result<Self, RepoNameError> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        let ok = (1..=100).contains(&text.len())
            && text.bytes().all(legal)
            && !text.starts_with(['.', '-'])
            && !text.ends_with(".git")
            && !text.ends_with(".lock");
        if ok { Ok(Self(text.to_owned())) } else { Err(RepoNameError(text.to_owned())) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RepoName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RepoName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::RepoName;

    #[test]
    fn neither_option_nor_path_nor_command() {
        for good in ["service", "Team.Repo_2", "9"] {
            assert!(RepoName::parse(good).is_ok(), "{good}");
        }
        for bad in
            ["", "-x", "--upload-pack=x", ".", "..", "../x", "a/b", "a b", "a;b", "a'b", "a\"b", "a`b", "a\nb", "x.git", "x.lock"]
        {
            assert!(RepoName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
