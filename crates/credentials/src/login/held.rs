use std::time::Duration;

use jiff::Timestamp;
use secret::Secret;

/// What a login holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    /// What goes into requests.
    pub(crate) access: Secret,
    /// What is given for the next pair; `None` for a key, which does not expire.
    pub(crate) refresh: Option<Secret>,
    /// Until when the access token holds; `None` where it does not end, or nobody says.
    pub(crate) expires: Option<Timestamp>,
}

impl Held {
    /// Whether it holds for longer than `margin` from now.
    pub(crate) fn holds_for(&self, margin: Duration) -> bool {
        let soon = Timestamp::now().checked_add(margin).unwrap_or(Timestamp::MAX);
        self.expires.is_none_or(|expires| expires > soon)
    }
}
