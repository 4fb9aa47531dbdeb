use policy::Code;

/// Why a request could not be forwarded: becomes an answer (403, 502, 503 or 504 by its code) and a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The stable code.
    pub code: Code,
    /// What failed and why, in one line; no value of a header, no path, no text that the other end chose.
    pub message: String,
    /// What can be done about it.
    pub hint: String,
}

impl Failure {
    pub(super) fn new(code: Code, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: hint.into() }
    }
}
