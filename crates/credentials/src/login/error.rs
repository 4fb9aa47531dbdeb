use std::path::PathBuf;

use policy::{Login, TokenRef};
use shown::Shown;

use crate::CredentialError;

/// Why a login gives no credential. Never says a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LoginError {
    #[error("is missing: there is no {}", Shown::path(.0))]
    Missing(PathBuf),
    #[error("cannot be read: {}: {reason}", Shown::path(.path))]
    Unreadable { path: PathBuf, reason: String },
    /// Threat: what is written back would overwrite a file somewhere else.
    #[error("leads out of its folder and your home: {}", Shown::path(.0))]
    LeadsOut(PathBuf),
    #[error("cannot be understood: {0}")]
    Malformed(&'static str),
    #[error("is missing: its file holds none")]
    NoLogin,
    #[error("is of a kind that cannot be used outside its own program")]
    OtherKind,
    #[error("holds what {0}")]
    Value(#[from] crate::value::ValueError),
    #[error("has expired, and holds nothing to refresh it with")]
    Spent,
    /// Said until the person has logged in again.
    #[error("has ended: the provider refused to refresh it")]
    Ended,
    #[error("could not be refreshed: another process has been doing that for too long")]
    Busy,
    #[error("could not be refreshed: {0}")]
    NoAnswer(String),
    #[error("could not be refreshed, since it could not be saved: {0}")]
    Unsaved(String),
    #[error("could not be refreshed: the session is ending")]
    Interrupted,
}

impl LoginError {
    /// For the person: what is wrong and the command that mends it.
    pub(crate) fn told(self, login: Login) -> CredentialError {
        let again = match login {
            Login::Claude => "run `claude` on this machine and log in with /login",
            Login::Codex => "run `codex login` on this machine",
        };
        let hint = match &self {
            Self::Missing(_) | Self::NoLogin => match login {
                Login::Claude => format!("{again}, or name a token instead: agent_provider.auth_token"),
                Login::Codex => format!(
                    "{again} (with cli_auth_credentials_store = \"file\" in its config.toml), or name a key instead: agent_provider.api_key"
                ),
            },
            Self::Malformed(_) | Self::Value(_) | Self::Spent => again.to_owned(),
            Self::Ended => format!("{again} again"),
            Self::OtherKind => match login {
                Login::Claude => again.to_owned(),
                Login::Codex => format!("{again} with ChatGPT or an API key"),
            },
            Self::Unreadable { .. } => "it has to be a file of your own: read it yourself to see why".to_owned(),
            Self::LeadsOut(_) => "keep the file itself in its folder, not a link to it".to_owned(),
            Self::Busy | Self::NoAnswer(_) => match login {
                Login::Claude => "try again, or run `claude` once: it refreshes its login itself".to_owned(),
                Login::Codex => "try again, or run `codex` once: it refreshes its login itself".to_owned(),
            },
            Self::Unsaved(_) => "make room, or make the folder writable; the login itself still stands".to_owned(),
            Self::Interrupted => "start it again".to_owned(),
        };
        CredentialError::of(&TokenRef::Login(login), self, hint)
    }
}
