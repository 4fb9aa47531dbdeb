use std::fmt;

use crate::shortage;

/// Why a command did not do what it was asked, with what to do about it.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    error: anyhow::Error,
    hints: Vec<String>,
    /// The text comes with its own headings and colours.
    rendered: bool,
}

/// bot-bottle itself failed.
pub const FAILED: u8 = 125;
/// The command line makes no sense.
pub const USAGE: u8 = 2;
/// Ctrl-C.
pub const INTERRUPTED: u8 = 130;
/// The person said no, so that nothing was done: as if they had pressed Ctrl-C at the question. Not 0, which says that the agent ran
/// and succeeded, and has `start … && next` go on.
pub const DECLINED: u8 = INTERRUPTED;

impl Failure {
    /// A failure of bot-bottle's own: status 125. Where it tells that the system has run out of something, what to do about that is
    /// its first hint.
    pub fn new(message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Self {
        let hints = shortage::hint(&message.to_string()).map(str::to_owned).into_iter().collect();
        Self { code: FAILED, error: anyhow::Error::msg(message), hints, rendered: false }
    }

    /// A command line that makes no sense: status 2.
    pub fn usage(message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Self {
        Self { code: USAGE, ..Self::new(message) }
    }

    /// A failure whose text is shown as it is: diagnostics with their own headings.
    pub fn rendered(text: String) -> Self {
        Self { rendered: true, ..Self::new(text) }
    }

    /// The same, as something that was wrong with what the person gave: status 2.
    #[must_use]
    pub fn for_usage(self) -> Self {
        Self { code: USAGE, ..self }
    }

    /// Whether the text is shown as it is.
    pub fn is_rendered(&self) -> bool {
        self.rendered
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds several things to do.
    #[must_use]
    pub fn hints(mut self, hints: impl IntoIterator<Item = String>) -> Self {
        self.hints.extend(hints);
        self
    }

    /// The exit status.
    pub fn code(&self) -> u8 {
        self.code
    }

    /// The error and its hints, as the lines to show.
    pub fn parts(&self) -> (String, &[String]) {
        (format!("{:#}", self.error), &self.hints)
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        // Most of our errors name their cause in their own text, so the chain is not shown again.
        Self::new(error.to_string())
    }
}
