//! Removing machines, however far they have come.

use std::time::Duration;

use crate::arguments;
use crate::smolvm::{Smolvm, SmolvmError};

/// How long smolvm may take to end a machine and remove it.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Removes a machine, running or not. One that is gone already is no error.
///
/// # Errors
/// What smolvm says.
pub async fn remove(smolvm: &Smolvm, machine: &str) -> Result<(), SmolvmError> {
    match smolvm.run(arguments::delete(machine), PATIENCE).await {
        Err(error) if error.is_not_found() => Ok(()),
        removed => removed.map(drop),
    }
}

/// A machine that is being made: removed unless the bottle stands.
pub struct Made {
    smolvm: Smolvm,
    machine: Option<String>,
}

impl Made {
    /// One that is about to be made.
    pub fn new(smolvm: Smolvm, machine: String) -> Self {
        Self { smolvm, machine: Some(machine) }
    }

    /// The bottle stands.
    pub fn keep(mut self) {
        self.machine = None;
    }

    /// The bottle could not be made.
    pub async fn undo(mut self) {
        if let Some(machine) = self.machine.take() {
            // What could not be removed is found by its label.
            let _ = remove(&self.smolvm, &machine).await;
        }
    }
}

impl Drop for Made {
    /// A launch that is given up half way.
    fn drop(&mut self) {
        if let (Some(machine), Ok(runtime)) = (self.machine.take(), tokio::runtime::Handle::try_current()) {
            let smolvm = self.smolvm.clone();
            runtime.spawn(async move { drop(remove(&smolvm, &machine).await) });
        }
    }
}
