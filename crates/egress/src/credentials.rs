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

/// There is no credential. Why is the person's affair, whom the implementation tells: what a request is refused with reaches the
/// agent, which must not learn what variables, files and programs the host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the credential cannot be had")]
pub struct CredentialError;
