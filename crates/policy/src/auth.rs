use std::fmt;

use crate::{HeaderName, Shown, TokenRef};

/// How a route's credential is put into requests. What the agent itself sent there is removed first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization: <scheme> <credential>` (RFC 9110 §11.6.2).
    Scheme {
        /// The word before the credential.
        scheme: Scheme,
        /// Where the host finds the credential.
        token_ref: TokenRef,
    },
    /// `<header>: <credential>`, for APIs with a header of their own, such as `x-api-key`.
    Header {
        /// The header; never one that frames the message.
        header: HeaderName,
        /// Where the host finds the credential.
        token_ref: TokenRef,
    },
}

/// The word before the credential in `Authorization`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `Bearer` (RFC 6750).
    Bearer,
    /// `token`, as Gitea, Forgejo and GitHub take it.
    Token,
}

/// Why a text is no scheme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not a known scheme: write `Bearer` or `token`, or use `header` for an API with a header of its own", shown = Shown(.0))]
pub struct SchemeError(String);

impl Scheme {
    /// All schemes.
    pub const ALL: [Self; 2] = [Self::Bearer, Self::Token];

    /// As it stands in the header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Token => "token",
        }
    }

    /// Parses a scheme; its case does not matter (RFC 9110 §11.1).
    ///
    /// # Errors
    /// When it is none of [`Scheme::ALL`].
    pub fn parse(text: &str) -> Result<Self, SchemeError> {
        Self::ALL.into_iter().find(|s| s.as_str().eq_ignore_ascii_case(text)).ok_or_else(|| SchemeError(text.to_owned()))
    }
}

impl Auth {
    /// Where the host finds the credential.
    pub fn token_ref(&self) -> &TokenRef {
        match self {
            Self::Scheme { token_ref, .. } | Self::Header { token_ref, .. } => token_ref,
        }
    }
}

impl fmt::Display for Auth {
    /// What is shown before a launch: the scheme or header, never the credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme { scheme, .. } => f.write_str(scheme.as_str()),
            Self::Header { header, .. } => write!(f, "{header}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scheme;

    #[test]
    fn schemes_by_name() {
        assert_eq!(Scheme::parse("bearer"), Ok(Scheme::Bearer));
        assert_eq!(Scheme::parse("token"), Ok(Scheme::Token));
        assert!(Scheme::parse("Basic").is_err());
    }
}
