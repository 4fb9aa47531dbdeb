use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Bottle, BottleName, BottleSpec, Capabilities, Outlet};

/// Makes bottles.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Its name, as in `--backend NAME`.
    fn name(&self) -> BackendName;

    /// Can it run here? Creates nothing that stays.
    ///
    /// # Errors
    /// What is missing and the command that mends it.
    async fn check(&self) -> Result<Capabilities, Unavailable>;

    /// [`Backend::check`] for whoever launches at once: what only a trial would tell is left to the launch, which says the same.
    ///
    /// # Errors
    /// As [`Backend::check`].
    async fn check_to_launch(&self) -> Result<Capabilities, Unavailable> {
        self.check().await
    }

    /// Makes what bottles of this kind share and what takes long when it is not there yet: builds an image, for example. Does
    /// nothing when all is there. May be dropped at any point: then nothing half-made is taken for whole later.
    ///
    /// # Errors
    /// When it cannot be made.
    async fn prepare(&self, _spec: &BottleSpec, _progress: &mut dyn Progress) -> Result<(), LaunchError> {
        Ok(())
    }

    /// Makes a bottle and starts it, empty. What [`Backend::prepare`] makes has to be there.
    ///
    /// # Errors
    /// When anything the spec asks for cannot be had; then nothing of it is left.
    async fn launch(&self, spec: &BottleSpec) -> Result<Launched, LaunchError>;

    /// What earlier bottles of this backend left behind because their session was killed.
    ///
    /// # Errors
    /// When the backend cannot look.
    async fn leftovers(&self) -> Result<Vec<Leftover>, Unavailable>;

    /// Removes one leftover. A bottle that still runs is none, and is refused.
    ///
    /// # Errors
    /// When it could not be removed whole.
    async fn remove(&self, leftover: &Leftover) -> Result<(), CloseError>;
}

/// Is told how far something is that takes long.
pub trait Progress: Send {
    /// One line, as the tool that works wrote it: not safe for a terminal yet.
    fn line(&mut self, line: &str);
}

impl<F: FnMut(&str) + Send> Progress for F {
    fn line(&mut self, line: &str) {
        self(line);
    }
}

/// The name of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BackendName(pub &'static str);

impl fmt::Display for BackendName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A bottle that has just been made, and its way out.
pub struct Launched {
    /// The handle. Everything that provisions or runs something holds a clone.
    pub bottle: Arc<dyn Bottle>,
    /// Goes to the services, which see nothing else of the bottle.
    pub outlet: Box<dyn Outlet>,
}

/// Something that a killed session left on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The bottle it belonged to.
    pub bottle: BottleName,
    /// What it is, for the person: `cgroup /sys/fs/cgroup/…`, `container …`.
    pub what: String,
    /// The backend's own handle to it.
    pub id: String,
}

/// Why a backend cannot run here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {backend} backend cannot run here: {missing}")]
pub struct Unavailable {
    /// Which backend.
    pub backend: BackendName,
    /// What is missing.
    pub missing: String,
    /// What to do, most often a command; shown as `hint:` lines.
    pub hints: Vec<String>,
}

/// Why a bottle could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The backend cannot run here.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The spec asks for something this backend cannot do here.
    #[error("the {backend} backend cannot do {what} here: {reason}")]
    Unsupported {
        /// Which backend.
        backend: BackendName,
        /// What was asked for: `limits.memory`, `image`.
        what: String,
        /// Why not, and what to do.
        reason: String,
    },
    /// A step failed.
    #[error("making bottle {bottle}: {step}: {reason}")]
    Failed {
        /// The bottle's name.
        bottle: String,
        /// What was being done: `mounting /usr`.
        step: String,
        /// Why it failed.
        reason: String,
    },
}

/// What could not be freed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("closing bottle {bottle}: {what}: {reason}")]
pub struct CloseError {
    /// The bottle's name.
    pub bottle: String,
    /// What could not be freed.
    pub what: String,
    /// Why.
    pub reason: String,
}
