//! What was being done when something failed.

use std::borrow::Cow;
use std::io;

use crate::wire::Progress;

/// A step of making the bottle that failed.
#[derive(Debug)]
pub struct StepError {
    /// What was being done.
    pub step: Cow<'static, str>,
    /// Error number (`errno(3)`), 0 when there is none.
    pub errno: i32,
    /// Why.
    pub reason: String,
}

impl StepError {
    /// The session said something that cannot be.
    pub fn protocol(reason: &str) -> Self {
        Self { step: "talking to the session".into(), errno: 0, reason: reason.to_owned() }
    }

    /// As the last message of a bottle that could not be made.
    pub fn into_progress(self) -> Progress {
        Progress::Failed { step: self.step.into_owned(), errno: self.errno, reason: self.reason }
    }
}

/// Says what was being done when a system call failed.
pub trait During<T> {
    /// With a fixed text.
    fn during(self, step: &'static str) -> Result<T, StepError>;
    /// With a text that is made only on failure.
    fn during_with(self, step: impl FnOnce() -> String) -> Result<T, StepError>;
}

impl<T, E: Into<io::Error>> During<T> for Result<T, E> {
    fn during(self, step: &'static str) -> Result<T, StepError> {
        self.map_err(|error| error_at(step.into(), error.into()))
    }

    fn during_with(self, step: impl FnOnce() -> String) -> Result<T, StepError> {
        self.map_err(|error| error_at(step().into(), error.into()))
    }
}

fn error_at(step: Cow<'static, str>, error: io::Error) -> StepError {
    StepError { step, errno: error.raw_os_error().unwrap_or(0), reason: error.to_string() }
}
