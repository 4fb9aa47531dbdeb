use std::fmt;
use std::path::PathBuf;

use crate::Shown;

/// Where the host finds a credential. Never the credential itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenRef {
    /// A host environment variable: `[A-Za-z_][A-Za-z0-9_]*`, at most 128 bytes.
    Variable(String),
    /// A file of the host that holds the credential and nothing else; white space at its end is not part of it.
    File(PathBuf),
    /// A program of the host and its arguments, never read by a shell, that prints the credential: a password manager.
    Command(Vec<String>),
    /// The person's own login of an agent's program, kept fresh on the host.
    Login(Login),
}

/// Whose login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Login {
    /// Claude Code's.
    Claude,
    /// Codex's.
    Codex,
}

/// Why a text is no such name. The text is not repeated: people paste the credential itself here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not the name of an environment variable: write the name of the variable that holds the credential (`[A-Za-z_][A-Za-z0-9_]*`), never the credential itself"
)]
pub struct TokenRefError;

impl TokenRef {
    /// Parses the name of a host variable.
    ///
    /// # Errors
    /// When the text is not the name of an environment variable.
    pub fn parse(text: &str) -> Result<Self, TokenRefError> {
        let ok = (1..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !text.starts_with(|c: char| c.is_ascii_digit())
            && !looks_like_a_token(text);
        if ok { Ok(Self::Variable(text.to_owned())) } else { Err(TokenRefError) }
    }
}

/// Whether a well-formed name is a well-known kind of token: some hold nothing that a variable's name could not.
fn looks_like_a_token(text: &str) -> bool {
    const PREFIXES: [&str; 12] =
        ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "npm_", "hf_", "sk_live_", "sk_test_", "rk_live_", "whsec_"];
    let long = |rest: &str| rest.len() >= 20 && rest.bytes().any(|b| b.is_ascii_digit()) && rest.matches('_').count() <= 1;
    PREFIXES.iter().any(|prefix| text.strip_prefix(prefix).is_some_and(long))
}

impl fmt::Display for TokenRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::File(path) => write!(f, "file {}", Shown(&path.to_string_lossy())),
            // Arguments may be telling; the program is enough to know it by.
            Self::Command(argv) => write!(f, "command {}", Shown(argv.first().map_or("", String::as_str))),
            Self::Login(Login::Claude) => f.write_str("your Claude login"),
            Self::Login(Login::Codex) => f.write_str("your Codex login"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TokenRef;

    #[test]
    fn a_pasted_credential_is_refused_and_not_repeated() {
        for good in ["FORGE_TOKEN", "npm_config_my_registry_token_2", "ghp_token"] {
            assert_eq!(TokenRef::parse(good), Ok(TokenRef::Variable(good.into())));
        }
        for bad in ["", "1A", "sk-ant-canary", "$FORGE", "${FORGE}", "A B", &"A".repeat(129), "ghp_0123456789abcdefghijcanary"] {
            let error = TokenRef::parse(bad).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
    }

    #[test]
    fn arguments_of_a_command_are_not_shown() {
        assert_eq!(TokenRef::Command(vec!["op".into(), "read".into(), "canary".into()]).to_string(), "command op");
    }
}
