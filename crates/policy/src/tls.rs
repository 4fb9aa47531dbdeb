use crate::Shown;

/// What happens to a route's TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsMode {
    /// Ended and made anew by the proxy, so that requests can be matched, scanned and given credentials.
    #[default]
    Intercept,
    /// Passed on unopened: the host name alone is checked. For programs that pin certificates.
    Passthrough,
}

/// Why a text is no TLS mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not a TLS mode: write `intercept` or `passthrough`", shown = Shown(.0))]
pub struct TlsModeError(String);

impl TlsMode {
    /// Both modes.
    pub const ALL: [Self; 2] = [Self::Intercept, Self::Passthrough];

    /// As manifests write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Intercept => "intercept",
            Self::Passthrough => "passthrough",
        }
    }

    /// The mode with this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn parse(text: &str) -> Result<Self, TlsModeError> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or_else(|| TlsModeError(text.to_owned()))
    }
}
