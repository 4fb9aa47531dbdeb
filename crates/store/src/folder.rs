use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use owner::{NotOurs, Trusted};
use rustix::fs::{self, CWD, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use shown::Shown;

/// What could not be done in the folder of kept things.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refused.
    #[error("{operation} {}: {source}", Shown::path(.path))]
    Io {
        /// `making`, `opening`, `reading`, `writing`, `removing`.
        operation: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It is not ours alone.
    #[error("{} is {what}; state is kept only in folders of your own", Shown::path(.path))]
    Unsafe {
        /// The folder.
        path: PathBuf,
        /// `a link`, `owned by user 1001`.
        what: String,
    },
    /// The folder of kept things is somebody else's.
    #[error("{} belongs to user {owner}, and you are user {me}: state is kept only in a folder of your own; \
             run this as its owner, 'chown' it, or set BOT_BOTTLE_HOME to another folder", Shown::path(.path))]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who asks.
        me: u32,
    },
    /// The folder of kept things is the system's, or shared by everybody: no folder to be closed or taken.
    #[error("{} is {}: set BOT_BOTTLE_HOME to a folder of your own, such as ~/.bot-bottle", Shown::path(.path), if *.sticky { "a folder that everybody shares" } else { "one of the system's folders" })]
    Shared {
        /// The folder.
        path: PathBuf,
        /// It is shared, as `/tmp` is.
        sticky: bool,
    },
    /// Others can put things into the folder of kept things: manifests of theirs, for one.
    #[error("{} can be written by others (mode {mode:04o}): run 'chmod go-w' on it, or set BOT_BOTTLE_HOME to another folder", Shown::path(.path))]
    Open {
        /// The folder.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Nobody can tell whether the session's process lives.
    #[error("cannot tell whether session {identity} lives, because its lock in {} cannot be looked at; nothing there was touched", Shown::path(.path))]
    Unclear {
        /// Its identity.
        identity: String,
        /// Its state folder.
        path: PathBuf,
    },
    /// A session of that name lives already, or left its state behind.
    #[error("there is a session named {identity} already{}", if *.live { "" } else { ", left behind by one that was killed" })]
    Taken {
        /// Its identity.
        identity: String,
        /// Whether its process lives.
        live: bool,
    },
    /// No session of that name.
    #[error("there is no session named {identity}")]
    Unknown {
        /// The identity asked for.
        identity: String,
    },
    /// The session's process is gone; what it left is still there.
    #[error("session {identity} is dead: its process was killed and left its state behind")]
    Dead {
        /// The identity asked for.
        identity: String,
    },
    /// A file of ours does not say what it should.
    #[error("{} cannot be understood: {reason}", Shown::path(.path))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl StoreError {
    /// Whether what was looked for is not there.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    pub(crate) fn io(operation: &'static str, path: &Path, error: Errno) -> Self {
        Self::Io { operation, path: path.to_owned(), source: error.into() }
    }
}

/// Opens the person's own folder, making it (0700) when missing. Links on the way are the person's own and are followed.
pub(crate) fn open_own(path: &Path) -> Result<OwnedFd, StoreError> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| StoreError::Io { operation: "making", path: path.to_owned(), source })?;
    open_home(path)
}

/// As [`open_own`], but it must be there.
pub(crate) fn open_home(path: &Path) -> Result<OwnedFd, StoreError> {
    let home = fs::openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    let home = home.map_err(|error| StoreError::io("opening", path, error))?;
    let stat = fs::fstat(&home).map_err(|error| StoreError::io("reading", path, error))?;
    // Threat: whoever can write here can swap the folders below, or write a bottle that the person starts.
    match owner::check(&stat, Trusted::Me) {
        Ok(()) => Ok(home),
        Err(NotOurs::Foreign { .. } | NotOurs::Open { .. }) if is_the_systems(path) => {
            Err(StoreError::Shared { path: path.to_owned(), sticky: false })
        }
        Err(NotOurs::Shared { .. }) => Err(StoreError::Shared { path: path.to_owned(), sticky: true }),
        Err(NotOurs::Foreign { owner, me }) => Err(StoreError::Foreign { path: path.to_owned(), owner, me }),
        Err(NotOurs::Open { mode }) => Err(StoreError::Open { path: path.to_owned(), mode }),
    }
}

/// Whether a path is one of the system's own folders (`hier(7)`), such as `/srv` or `/usr/local`, whose owner and permissions are
/// not the person's to change; not what lies deeper.
fn is_the_systems(path: &Path) -> bool {
    const DEEPER: [&str; 10] = ["boot", "dev", "etc", "lib", "lib64", "proc", "run", "sys", "usr", "var"];
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let names: Vec<_> = path.components().skip(1).map(|name| name.as_os_str()).collect();
    match names.as_slice() {
        [] | [_] => true,
        [top, _] => DEEPER.iter().any(|deeper| top == deeper),
        [_, _, ..] => false,
    }
}

/// Held while a session's folder is made, removed or called dead, so that nobody sees another's half. Its own open file
/// description: the lock must go when the guard does, not when the folder's handle is closed.
pub(crate) fn guard(state: impl AsFd, path: &Path) -> Result<OwnedFd, StoreError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let guard = fs::openat(state, ".", flags, Mode::empty()).map_err(|error| StoreError::io("opening", path, error))?;
    fs::flock(&guard, FlockOperation::LockExclusive).map_err(|error| StoreError::io("locking", path, error))?;
    Ok(guard)
}

/// Opens `name` in `parent`, making it (0700) when missing; never through a link, only when it is the caller's, and closed to others.
pub(crate) fn open_private(parent: impl AsFd, name: &str, path: &Path) -> Result<OwnedFd, StoreError> {
    match fs::mkdirat(&parent, name, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => open_existing(parent, name, path),
        Err(error) => Err(StoreError::io("making", path, error)),
    }
}

/// As [`open_private`], but the folder must be there.
pub(crate) fn open_existing(parent: impl AsFd, name: &str, path: &Path) -> Result<OwnedFd, StoreError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = fs::openat(parent, name, flags, Mode::empty()).map_err(|error| match error {
        Errno::LOOP | Errno::NOTDIR => StoreError::Unsafe { path: path.to_owned(), what: "a link or a file".to_owned() },
        error => StoreError::io("opening", path, error),
    })?;
    let stat = fs::fstat(&folder).map_err(|error| StoreError::io("reading", path, error))?;
    // Threat: another local user made it first (a shared parent) and waits for what we put in.
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(StoreError::Unsafe { path: path.to_owned(), what: format!("owned by user {}", stat.st_uid) });
    }
    if stat.st_mode & 0o077 != 0 {
        fs::fchmod(&folder, Mode::RWXU).map_err(|error| StoreError::io("closing to others", path, error))?;
    }
    Ok(folder)
}

/// Reads a small regular file in `folder`; never through a link, never blocking on a FIFO, never more than `most` bytes.
pub(crate) fn read_file(folder: impl AsFd, name: &str, path: &Path, most: u64) -> Result<Vec<u8>, StoreError> {
    use std::io::Read as _;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::openat(folder, name, flags, Mode::empty()).map_err(|error| StoreError::io("opening", path, error))?;
    let mut content = Vec::new();
    let read = std::fs::File::from(file).take(most).read_to_end(&mut content);
    read.map_err(|source| StoreError::Io { operation: "reading", path: path.to_owned(), source })?;
    Ok(content)
}
