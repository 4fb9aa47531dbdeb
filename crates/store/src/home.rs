use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs;

use crate::session::{METADATA, look_at, remove_tree};
use crate::{Identity, Metadata, SessionFolder, StoreError, folder};

/// `BOT_BOTTLE_HOME`, where sessions are kept. Making this value touches nothing.
#[derive(Debug, Clone)]
pub struct Home {
    path: PathBuf,
}

/// One state folder, as found.
#[derive(Debug)]
pub struct Listed {
    /// The session.
    pub identity: Identity,
    /// Whether its process lives.
    pub liveness: Liveness,
    /// What it says of itself; an error when its file is missing or broken.
    pub metadata: Result<Metadata, StoreError>,
}

/// Whether a session's process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// It holds its lock.
    Live,
    /// It does not: it was killed, and `cleanup` may remove what it left.
    Dead,
    /// Its lock cannot be looked at. It may live, so nothing of it may be removed.
    Unknown,
}

impl Home {
    /// Longest `metadata.json` that is read, in bytes.
    const METADATA_MAX: u64 = 256 * 1024;

    /// The folder given, an absolute path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a session's state is kept, for messages.
    pub fn state_path(&self, identity: &Identity) -> PathBuf {
        self.path.join("state").join(identity.as_str())
    }

    /// Where a session's traffic is kept.
    pub fn traffic_path(&self, identity: &Identity) -> PathBuf {
        self.path.join("audit").join(format!("{identity}.traffic.jsonl"))
    }

    /// Where a file of records is.
    pub(crate) fn record_path(&self, name: &str) -> PathBuf {
        self.path.join("audit").join(name)
    }

    /// Where a session's refusals are kept.
    pub fn audit_path(&self, identity: &Identity) -> PathBuf {
        self.path.join("audit").join(format!("{identity}.jsonl"))
    }

    /// Makes the state folder of a new session and takes its lock.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when there is one of that name, live or dead; else what the system refused.
    pub fn create(&self, identity: Identity) -> Result<SessionFolder, StoreError> {
        let state = self.open_state()?;
        let _guard = self.guard(&state)?;
        let path = self.state_path(&identity);
        SessionFolder::make(state, path, identity)
    }

    /// Every session that has a state folder, by name.
    ///
    /// # Errors
    /// When the folder cannot be read; one that does not exist holds no sessions.
    pub fn sessions(&self) -> Result<Vec<Listed>, StoreError> {
        let Some(state) = self.existing_state()? else { return Ok(Vec::new()) };
        let path = self.path.join("state");
        let entries = fs::Dir::read_from(&state).map_err(|error| StoreError::io("reading", &path, error))?;
        let mut sessions = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| StoreError::io("reading", &path, error))?;
            if let Some(identity) = entry.file_name().to_str().ok().and_then(|name| Identity::parse(name).ok()) {
                // It may have settled since the folder was read.
                let Some(liveness) = self.liveness(&state, &identity)? else { continue };
                let metadata = self.metadata_in(&state, &identity);
                sessions.push(Listed { identity, liveness, metadata });
            }
        }
        sessions.sort_by(|a, b| a.identity.cmp(&b.identity));
        Ok(sessions)
    }

    /// Opens the folder of a live session, to reach its `control.sock`.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is none, [`StoreError::Dead`] when its process was killed.
    pub fn open_live(&self, identity: &Identity) -> Result<OwnedFd, StoreError> {
        let unknown = || StoreError::Unknown { identity: identity.to_string() };
        let state = self.existing_state()?.ok_or_else(unknown)?;
        match self.liveness(&state, identity)? {
            Some(Liveness::Live) => match folder::open_existing(&state, identity.as_str(), &self.state_path(identity)) {
                Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Err(unknown()),
                folder => folder,
            },
            Some(Liveness::Dead) => Err(StoreError::Dead { identity: identity.to_string() }),
            Some(Liveness::Unknown) => Err(self.unclear(identity)),
            None => Err(unknown()),
        }
    }

    /// Removes the state of a session whose process is dead.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when it lives, [`StoreError::Unclear`] when nobody can tell; else what the system refused.
    pub fn remove_dead(&self, identity: &Identity) -> Result<(), StoreError> {
        let unknown = || StoreError::Unknown { identity: identity.to_string() };
        let state = self.existing_state()?.ok_or_else(unknown)?;
        let _guard = self.guard(&state)?;
        match look_at(&state, identity) {
            Some(Liveness::Dead) => remove_tree(&state, identity.as_str(), &self.state_path(identity)),
            Some(Liveness::Live) => Err(StoreError::Taken { identity: identity.to_string(), live: true }),
            Some(Liveness::Unknown) => Err(self.unclear(identity)),
            None => Err(unknown()),
        }
    }

    /// Nothing is called dead without the guard: what is being made or removed has no lock for a moment.
    fn liveness(&self, state: &OwnedFd, identity: &Identity) -> Result<Option<Liveness>, StoreError> {
        match look_at(state, identity) {
            Some(Liveness::Dead) => {
                let _guard = self.guard(state)?;
                Ok(look_at(state, identity))
            }
            known @ (Some(Liveness::Live | Liveness::Unknown) | None) => Ok(known),
        }
    }

    fn unclear(&self, identity: &Identity) -> StoreError {
        StoreError::Unclear { identity: identity.to_string(), path: self.state_path(identity) }
    }

    fn open_state(&self) -> Result<OwnedFd, StoreError> {
        let home = folder::open_own(&self.path)?;
        folder::open_private(&home, "state", &self.path.join("state"))
    }

    fn existing_state(&self) -> Result<Option<OwnedFd>, StoreError> {
        let path = self.path.join("state");
        let home = match folder::open_home(&self.path) {
            Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            home => home?,
        };
        match folder::open_existing(&home, "state", &path) {
            Ok(state) => Ok(Some(state)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn metadata_in(&self, state: &OwnedFd, identity: &Identity) -> Result<Metadata, StoreError> {
        let path = self.state_path(identity);
        let folder = folder::open_existing(state, identity.as_str(), &path)?;
        let path = path.join(METADATA);
        let content = folder::read_file(&folder, METADATA, &path, Self::METADATA_MAX)?;
        serde_json::from_slice(&content).map_err(|error| StoreError::Malformed { path, reason: error.to_string() })
    }

    fn guard(&self, state: &OwnedFd) -> Result<OwnedFd, StoreError> {
        folder::guard(state, &self.path.join("state"))
    }
}

#[cfg(test)]
#[path = "home_tests.rs"]
mod tests;
