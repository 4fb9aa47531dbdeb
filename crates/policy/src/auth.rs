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
    /// `Authorization: Basic <user:credential in base64>` (RFC 7617), for git, package indexes and mirrors.
    Basic {
        /// Who asks. Not a secret.
        user: UserName,
        /// Where the host finds the password.
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

/// The name of RFC 7617's `user-id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserName(String);

/// Why a text is no user's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a user's name has 1 to 255 visible characters of ASCII and no colon")]
pub struct UserNameError;

/// Why a text is no scheme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not a known scheme: write `Bearer`, `token` or `Basic`, or use `header` for an API with a header of its own", shown = Shown(.0))]
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

impl UserName {
    /// Parses a name.
    ///
    /// # Errors
    /// When it is empty or too long, or holds a colon (which would end it), a space or anything but ASCII (of which there would be
    /// several encodings).
    pub fn parse(text: &str) -> Result<Self, UserNameError> {
        let ok = (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
        if ok { Ok(Self(text.to_owned())) } else { Err(UserNameError) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Auth {
    /// Where the host finds the credential.
    pub fn token_ref(&self) -> &TokenRef {
        match self {
            Self::Scheme { token_ref, .. } | Self::Basic { token_ref, .. } | Self::Header { token_ref, .. } => token_ref,
        }
    }
}

impl fmt::Display for Auth {
    /// What is shown before a launch: the scheme or header, never the credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme { scheme, .. } => f.write_str(scheme.as_str()),
            Self::Basic { .. } => f.write_str("Basic"),
            Self::Header { header, .. } => write!(f, "{header}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Scheme, UserName};

    #[test]
    fn schemes_by_name() {
        assert_eq!(Scheme::parse("bearer"), Ok(Scheme::Bearer));
        assert_eq!(Scheme::parse("token"), Ok(Scheme::Token));
        assert!(Scheme::parse("Basic").is_err());
    }

    #[test]
    fn names_of_users() {
        assert_eq!(UserName::parse("x-access-token").unwrap().as_str(), "x-access-token");
        for bad in ["", "a:b", "a b", "a\n", "ä", &"x".repeat(256)] {
            assert!(UserName::parse(bad).is_err(), "{bad}");
        }
    }
}
