use std::fmt;

/// The name of a host environment variable that holds a credential: `[A-Za-z_][A-Za-z0-9_]*`, at most 128 bytes. Never the
/// credential itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenRef(String);

/// Why a text is no such name. The text is not repeated: people paste the credential itself here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not the name of an environment variable: write the name of the variable that holds the credential (`[A-Za-z_][A-Za-z0-9_]*`), never the credential itself"
)]
pub struct TokenRefError;

impl TokenRef {
    /// Parses a name.
    ///
    /// # Errors
    /// When the text is not the name of an environment variable.
    pub fn parse(text: &str) -> Result<Self, TokenRefError> {
        let ok = (1..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !text.starts_with(|c: char| c.is_ascii_digit());
        if ok { Ok(Self(text.to_owned())) } else { Err(TokenRefError) }
    }

    /// The variable's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TokenRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::TokenRef;

    #[test]
    fn a_pasted_credential_is_refused_and_not_repeated() {
        assert_eq!(TokenRef::parse("FORGE_TOKEN").unwrap().as_str(), "FORGE_TOKEN");
        for bad in ["", "1A", "sk-ant-canary", "$FORGE", "${FORGE}", "A B", &"A".repeat(129)] {
            let error = TokenRef::parse(bad).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
    }
}
