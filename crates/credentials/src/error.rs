use policy::TokenRef;

/// Why there is no credential; never says a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CredentialError {
    /// What failed: `variable API_TOKEN is not set`.
    pub message: String,
    /// What the person can do.
    pub hint: String,
}

impl CredentialError {
    /// `<the source> <what is wrong>`.
    pub(crate) fn of(source: &TokenRef, wrong: impl std::fmt::Display, hint: impl Into<String>) -> Self {
        Self { message: format!("{source} {wrong}"), hint: hint.into() }
    }
}
