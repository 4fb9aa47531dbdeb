use async_trait::async_trait;
use secret::Secret;

/// The way to a provider's token endpoint. The one who implements it checks the certificate, follows no redirect, bounds the
/// answer and may not keep either body.
#[async_trait]
pub trait TokenEndpoint: Send + Sync {
    /// Sends one POST and waits for its answer.
    ///
    /// # Errors
    /// When no answer came.
    async fn post(&self, request: TokenRequest) -> Result<TokenAnswer, Unreachable>;
}

/// What is asked: a refresh of OAuth 2.0 (RFC 6749 §6) with a JSON body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// `https://…`.
    pub url: String,
    /// Names in lower case, and values; none is secret.
    pub headers: Vec<(&'static str, &'static str)>,
    /// JSON, with the refresh token in it.
    pub body: Secret,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenAnswer {
    /// The HTTP status.
    pub status: u16,
    /// JSON, with the new tokens in it when all went well.
    pub body: Secret,
}

/// No answer came: `connecting to auth.example: timed out`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreachable(pub String);
