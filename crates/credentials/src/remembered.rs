use std::time::{Duration, Instant};

use secret::Secret;

use crate::CredentialError;

/// What a file or command gave last, and when it was asked.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    last: Option<(Instant, Result<Secret, CredentialError>)>,
}

impl Remembered {
    /// What to answer without asking: a value until it is rejected, an error for a while.
    pub(crate) fn answer(&self, again: Duration) -> Option<Result<Secret, CredentialError>> {
        let (asked, outcome) = self.last.as_ref()?;
        (outcome.is_ok() || asked.elapsed() < again).then(|| outcome.clone())
    }

    /// Whether to ask again because the other end did not take `used`: not when there is another value already, and not sooner
    /// than allowed.
    pub(crate) fn is_worn(&self, used: &Secret, again: Duration) -> bool {
        self.last.as_ref().is_some_and(|(asked, outcome)| outcome.as_ref() == Ok(used) && asked.elapsed() >= again)
    }

    /// Notes what was answered just now.
    pub(crate) fn note(&mut self, outcome: Result<Secret, CredentialError>) {
        self.last = Some((Instant::now(), outcome));
    }
}
