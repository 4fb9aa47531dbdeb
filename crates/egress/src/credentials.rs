use async_trait::async_trait;
use policy::TokenRef;
use secret::Secret;

/// Where the service finds the credentials that it puts into requests.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// The credential as it stands now. Called for every request that needs one, so it must be quick where it can be.
    ///
    /// # Errors
    /// When there is none: the request is then refused.
    async fn current(&self, of: &TokenRef) -> Result<Secret, CredentialError>;

    /// The other end answered 401 to `used`: a source that can give a newer one should, for the requests that follow.
    async fn rejected(&self, of: &TokenRef, used: &Secret);
}

/// Why there is no credential; never says a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CredentialError {
    /// What failed: `variable API_TOKEN is not set`.
    pub message: String,
    /// What the person can do.
    pub hint: String,
}
