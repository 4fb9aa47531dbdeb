/// What stands in for a credential in a bottle: it is none, and says so, and the agent's program starts with it without asking
/// for a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// The value, by which it is known when it comes back in a request.
    pub value: String,
    /// Where the program finds it.
    pub place: PlaceholderPlace,
}

/// Where an agent's program finds a placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceholderPlace {
    /// In its environment.
    Variable {
        /// The variable.
        name: &'static str,
        /// It is left out when the bottle sets one of these: then the person has chosen another login.
        unless: &'static [&'static str],
    },
    /// In one of [`crate::Provider::files`].
    File,
}
