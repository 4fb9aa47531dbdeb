use std::fmt;

use policy::Shown;

/// The name of an environment variable: `[A-Za-z_][A-Za-z0-9_]*` (POSIX.1-2017 §8.1 and lower case), at most 128 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvName(String);

/// Why a text is no such name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` cannot be the name of an environment variable: use 1 to 128 letters, digits and `_`, and do not begin with a digit", shown = Shown(.0))]
pub struct EnvNameError(String);

/// Where a variable's value in the bottle comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvSource {
    /// This text. No secret: it stands in a file.
    Literal(String),
    /// The person is asked at launch.
    Ask {
        /// What to ask; `None`: just the variable's name.
        message: Option<String>,
    },
    /// A variable of the host's environment.
    Host {
        /// Its name.
        var: EnvName,
    },
}

impl EnvName {
    /// Parses a name.
    ///
    /// # Errors
    /// When it is empty, too long, or holds anything else.
    pub fn parse(text: &str) -> Result<Self, EnvNameError> {
        let ok = (1..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !text.starts_with(|c: char| c.is_ascii_digit());
        if ok { Ok(Self(text.to_owned())) } else { Err(EnvNameError(text.to_owned())) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EnvName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EnvName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
