use std::fmt;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use shown::Shown;

/// A file or folder of the host as it was looked at: what the person was shown is what is used later, or nothing is.
///
/// Between the look and the use another user of the host may swap a folder above it for a link, or put something else in its
/// place. So the links in a path are followed once, when it is looked at, and what stands at their end is kept;
/// [`HostPlace::open`] follows none, and gives nothing but what was seen.
#[derive(Clone)]
pub struct HostPlace {
    path: PathBuf,
    id: FileId,
    kind: FileType,
    /// Open as long as the place is wanted: a number that is in use is given to no other file, not even by file systems that
    /// make numbers up as they go.
    held: Arc<OwnedFd>,
}

/// Which file it is, whatever its name (`stat(2)`, `st_dev` and `st_ino`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId {
    /// The file system.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
}

/// Why a place cannot be used any more.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Another file stands there, or a link leads there now.
    #[error("{} is not what it was when it was looked at: something was put in its place", Shown::path(.path))]
    Changed {
        /// The place.
        path: PathBuf,
    },
    /// The system refused.
    #[error("opening {}: {source}", Shown::path(.path))]
    Open {
        /// The place.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl HostPlace {
    /// Follows the links in `path` and remembers what stands at the end.
    ///
    /// # Errors
    /// When there is nothing, or the system refuses to look.
    pub fn look(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = fs::canonicalize(path)?;
        let held = open_without_links(&path, OFlags::PATH | OFlags::CLOEXEC)?;
        let stat = rustix::fs::fstat(&held)?;
        Ok(Self { path, id: FileId::of(&stat), kind: FileType::from_raw_mode(stat.st_mode), held: Arc::new(held) })
    }

    /// Where it is: absolute, no link in it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which file it is.
    pub fn id(&self) -> FileId {
        self.id
    }

    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.kind == FileType::Directory
    }

    /// Opens it at its path, through no link.
    ///
    /// # Errors
    /// When it is not there any more, or something else is.
    pub fn open(&self, flags: OFlags) -> Result<OwnedFd, PlaceError> {
        open_exactly(&self.path, self.id, flags)
    }
}

/// Opens the file `id` at `path`, through no link; `path` is absolute and has none in it.
///
/// # Errors
/// When it is not there any more, or something else is.
pub fn open_exactly(path: &Path, id: FileId, flags: OFlags) -> Result<OwnedFd, PlaceError> {
    let changed = || PlaceError::Changed { path: path.to_owned() };
    let failed = |error: Errno| PlaceError::Open { path: path.to_owned(), source: error.into() };
    let opened = open_without_links(path, flags | OFlags::CLOEXEC).map_err(|error| match error {
        // A link in the way; a folder in the way that is none any more, or a link seen by `O_DIRECTORY`.
        Errno::LOOP | Errno::NOTDIR => changed(),
        other => failed(other),
    })?;
    let found = FileId::of(&rustix::fs::fstat(&opened).map_err(failed)?);
    if found == id { Ok(opened) } else { Err(changed()) }
}

/// Opens an absolute path in which no part may be a link.
fn open_without_links(path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let root = rustix::fs::open("/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let below = path.strip_prefix("/").map_err(|_| Errno::INVAL)?;
    open_below(root.as_fd(), below, flags)
}

/// Opens `path` below `root` (`root` itself when empty), and nothing else: no link is followed, no `..` leaves, no mount of
/// `/proc` is crossed by a magic link, whatever another process swaps in the meantime.
pub(crate) fn open_below(root: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    // Not `O_NOFOLLOW`, which together with `O_PATH` opens a link itself (openat2(2), RESOLVE_NO_SYMLINKS).
    let flags = flags.difference(OFlags::NOFOLLOW) | OFlags::CLOEXEC;
    if path.as_os_str().is_empty() {
        return rustix::fs::openat(root, ".", flags, Mode::empty());
    }
    loop {
        match rustix::fs::openat2(root, path, flags, Mode::empty(), beneath()) {
            // A rename or mount elsewhere made the kernel unsure (openat2(2)): ask again.
            Err(Errno::AGAIN | Errno::INTR) => {}
            // Kernels before 5.6, and seccomp filters older than the call.
            Err(Errno::NOSYS | Errno::PERM) => return open_part_by_part(root, path, flags),
            answer => return answer,
        }
    }
}

/// What every look below a root is held to.
fn beneath() -> ResolveFlags {
    ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS
}

/// The same with one `openat` for each part: `O_NOFOLLOW` holds for the last part, and here every part is the last.
fn open_part_by_part(root: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let on_the_way = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut here = rustix::fs::openat(root, ".", on_the_way, Mode::empty())?;
    let mut parts = path.components().peekable();
    while let Some(part) = parts.next() {
        let std::path::Component::Normal(name) = part else { return Err(Errno::XDEV) };
        let flags = if parts.peek().is_some() { on_the_way } else { flags | OFlags::NOFOLLOW };
        here = rustix::fs::openat(&here, name, flags, Mode::empty())?;
    }
    // With `O_PATH`, `O_NOFOLLOW` opens a link itself.
    match FileType::from_raw_mode(rustix::fs::fstat(&here)?.st_mode) {
        FileType::Symlink => Err(Errno::LOOP),
        _other => Ok(here),
    }
}

impl From<PlaceError> for io::Error {
    /// For where the place is told of anyway.
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::Changed { .. } => {
                Self::other("it is not what it was when it was looked at: something was put in its place")
            }
            PlaceError::Open { source, .. } => source,
        }
    }
}

impl FileId {
    /// From what the system says of an open file.
    pub fn of(stat: &Stat) -> Self {
        Self { device: stat.st_dev, inode: stat.st_ino }
    }
}

impl AsFd for HostPlace {
    /// The very thing that was looked at, wherever it is by now; for what the system answers about it, not to be read.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.held.as_fd()
    }
}

impl PartialEq for HostPlace {
    fn eq(&self, other: &Self) -> bool {
        (&self.path, self.id) == (&other.path, other.id)
    }
}

impl Eq for HostPlace {}

impl fmt::Debug for HostPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostPlace").field("path", &self.path).field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "host_place_tests.rs"]
mod tests;
