use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::{Identity, Liveness, Metadata, StoreError, atomic, folder};

pub(crate) const LOCK: &str = "lock";
pub(crate) const METADATA: &str = "metadata.json";

/// The state folder of a session that this process owns. The lock lives as long as this value: dropping it, or the death
/// of the process by any signal, makes the session dead to every other process.
#[derive(Debug)]
pub struct SessionFolder {
    identity: Identity,
    path: PathBuf,
    parent: OwnedFd,
    folder: OwnedFd,
    _lock: File,
}

impl SessionFolder {
    /// Makes the folder and takes its lock. `parent` is locked by the caller, so that `cleanup` cannot take a folder
    /// that has no lock yet for a dead one.
    pub(crate) fn make(parent: OwnedFd, path: PathBuf, identity: Identity) -> Result<Self, StoreError> {
        Self::make_locked_by(lock_new, parent, path, identity)
    }

    /// A folder without its lock would look like a killed session's, so it goes when `lock` fails.
    pub(crate) fn make_locked_by(
        lock: impl FnOnce(&OwnedFd, &Identity, &Path) -> Result<(OwnedFd, File), StoreError>,
        parent: OwnedFd,
        path: PathBuf,
        identity: Identity,
    ) -> Result<Self, StoreError> {
        fs::mkdirat(&parent, identity.as_str(), Mode::RWXU).map_err(|error| match error {
            // One of which nobody can tell is not told to be left behind: nothing may remove it.
            Errno::EXIST => {
                let live = look_at(&parent, &identity) != Some(Liveness::Dead);
                StoreError::Taken { live, identity: identity.to_string() }
            }
            error => StoreError::io("making", &path, error),
        })?;
        match lock(&parent, &identity, &path) {
            Ok((folder, lock)) => Ok(Self { identity, path, parent, folder, _lock: lock }),
            Err(error) => {
                // Best effort: the first error is the one to tell. Without opening anything: a full file table may be the reason.
                let _ = fs::unlinkat(&parent, Path::new(identity.as_str()).join(LOCK), AtFlags::empty());
                let _ = fs::unlinkat(&parent, identity.as_str(), AtFlags::REMOVEDIR);
                Err(error)
            }
        }
    }

    /// Its session.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The folder, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open folder: the way to make a socket in it that no link can redirect and no long path can break.
    pub fn handle(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    /// Writes `metadata.json`.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write_metadata(&self, metadata: &Metadata) -> Result<(), StoreError> {
        let path = self.path.join(METADATA);
        let malformed = |error: serde_json::Error| StoreError::Malformed { path: path.clone(), reason: error.to_string() };
        let mut content = serde_json::to_vec_pretty(metadata).map_err(malformed)?;
        content.push(b'\n');
        atomic::write(&self.folder, METADATA, &path, &content)
    }

    /// Removes the folder and all that is in it, and lets go of the lock.
    ///
    /// # Errors
    /// When the system refuses; the lock is let go all the same.
    pub fn remove(self) -> Result<(), StoreError> {
        // A folder whose lock is gone already must not be taken for a dead one; without the guard it is removed all the same.
        let _guard = self.path.parent().and_then(|state| folder::guard(&self.parent, state).ok());
        remove_tree(&self.parent, self.identity.as_str(), &self.path)
    }
}

/// Opens the folder just made and makes and takes its lock.
fn lock_new(parent: &OwnedFd, identity: &Identity, path: &Path) -> Result<(OwnedFd, File), StoreError> {
    let folder = folder::open_existing(parent, identity.as_str(), path)?;
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let lock = fs::openat(&folder, LOCK, flags, Mode::RUSR | Mode::WUSR);
    let lock = File::from(lock.map_err(|error| StoreError::io("making", &path.join(LOCK), error))?);
    lock.lock().map_err(|source| StoreError::Io { operation: "locking", path: path.join(LOCK), source })?;
    Ok((folder, lock))
}

/// Whether the session's process holds its lock; `None` when there is no such session.
///
/// [`Liveness::Dead`] is certain only under the guard: a folder that is being made or removed has no lock for a moment.
pub(crate) fn look_at(parent: impl AsFd, identity: &Identity) -> Option<Liveness> {
    match folder::open_existing(parent, identity.as_str(), Path::new(identity.as_str())) {
        Ok(folder) => Some(look_at_lock(&folder)),
        Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => None,
        // Such as a full file table, or a folder of somebody else's: no reason to remove anything.
        Err(_) => Some(Liveness::Unknown),
    }
}

fn look_at_lock(folder: impl AsFd) -> Liveness {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let lock = match fs::openat(folder, LOCK, flags, Mode::empty()) {
        Ok(lock) => lock,
        Err(Errno::NOENT) => return Liveness::Dead,
        Err(_) => return Liveness::Unknown,
    };
    match fs::flock(&lock, FlockOperation::NonBlockingLockShared) {
        Err(Errno::WOULDBLOCK) => Liveness::Live,
        Ok(()) => Liveness::Dead,
        Err(_) => Liveness::Unknown,
    }
}

/// Removes `name` below `parent` without following any link. Depth is bounded by what we put there ourselves (one level),
/// but a person may have put more.
pub(crate) fn remove_tree(parent: impl AsFd, name: &str, path: &Path) -> Result<(), StoreError> {
    let folder = folder::open_existing(&parent, name, path)?;
    let listing = fs::Dir::read_from(&folder).map_err(|error| StoreError::io("reading", path, error))?;
    for entry in listing {
        let entry = entry.map_err(|error| StoreError::io("reading", path, error))?;
        let child = entry.file_name().to_string_lossy();
        if child == "." || child == ".." {
            continue;
        }
        match fs::unlinkat(&folder, entry.file_name(), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(Errno::ISDIR) => remove_tree(&folder, &child, &path.join(&*child))?,
            Err(error) => return Err(StoreError::io("removing", &path.join(&*child), error)),
        }
    }
    fs::unlinkat(parent, name, AtFlags::REMOVEDIR).map_err(|error| StoreError::io("removing", path, error))
}
