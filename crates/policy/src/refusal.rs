use crate::{Code, Origin};

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
