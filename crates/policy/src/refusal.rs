use crate::Origin;

/// A decision not to let something pass: the 403 body, the audit record and the line a person sees are all made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// Why, in one line; holds no value of a header, no query, no credential.
    pub message: String,
    /// What the agent can do about it, so that it stops trying.
    pub hint: String,
    /// The rule that decided, where one did.
    pub rule: Option<Origin>,
}

/// What was wrong. Codes are stable: programs match on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Code {
    /// No rule names the host.
    HostNotAllowed,
    /// A rule names the host, not this port.
    PortNotAllowed,
    /// A rule names the host, not this path, method or header.
    RequestNotAllowed,
    /// The path means different things to different servers.
    AmbiguousPath,
    /// A credential would travel unprotected.
    PlaintextCredential,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 5] =
        [Self::HostNotAllowed, Self::PortNotAllowed, Self::RequestNotAllowed, Self::AmbiguousPath, Self::PlaintextCredential];

    /// As it stands in `X-Bottle-Refusal` and in the audit.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HostNotAllowed => "egress.host",
            Self::PortNotAllowed => "egress.port",
            Self::RequestNotAllowed => "egress.request",
            Self::AmbiguousPath => "egress.path",
            Self::PlaintextCredential => "egress.plaintext",
        }
    }
}
