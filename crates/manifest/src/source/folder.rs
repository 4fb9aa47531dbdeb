use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use owner::{NotOurs, Trusted};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;

use crate::Origin;

/// A folder of manifests, held open: what its path means cannot change between listing and reading.
#[derive(Debug)]
pub(crate) struct Folder {
    /// For home: the folder itself. For a repository: the repository's own folder, which no path may lead out of.
    base: OwnedFd,
    /// The manifests' folder as seen from `base`.
    below: PathBuf,
    /// The folder's path, for messages.
    pub path: PathBuf,
    pub origin: Origin,
    /// Whose files are read from it; `None`: anybody's.
    trust: Option<Trusted>,
}

/// Why a folder or file could not be opened or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    #[error("it is a link that leads out of the repository")]
    LeadsOut,
    #[error("it is {0}, not a file")]
    NotAFile(&'static str),
    #[error("{0}")]
    NotOurs(NotOurs),
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Folder {
    /// Most entries of one folder that are looked at: a repository cannot make listing slow.
    pub const MAX_ENTRIES: usize = 10_000;

    /// Opens `root/name`. `None` when there is no such folder.
    ///
    /// In a repository nothing leads out of the folder that holds `root`: not `name`, not `root` itself, not a file in it.
    pub fn open(root: &Path, name: &str, origin: Origin) -> Result<Option<Self>, FolderError> {
        // Threat: who can write a bottle, or put one here, decides what the person's agents may do. A repository's agents are
        // everybody's who can write to it, and grant nothing.
        let trust = match origin {
            Origin::Home => Some(Trusted::MeOrRoot),
            Origin::Repository => None,
        };
        Self::open_trusting(trust, root, name, origin)
    }

    /// Opens a folder in which the person has named a file.
    pub fn open_named(folder: &Path) -> Result<Option<Self>, FolderError> {
        Self::open_trusting(None, folder, "", Origin::Home)
    }

    fn open_trusting(trust: Option<Trusted>, root: &Path, name: &str, origin: Origin) -> Result<Option<Self>, FolderError> {
        let path = root.join(name);
        let (base, below) = match origin {
            Origin::Home => (path.clone(), PathBuf::from(".")),
            Origin::Repository => enclosing(root, name),
        };
        let base = match openat(CWD, &base, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(FolderError::Io(errno.into())),
        };
        check(&base, trust)?;
        let folder = Self { base, below, path, origin, trust };
        match folder.open_below(Path::new("."), OFlags::DIRECTORY) {
            Ok(_) => Ok(Some(folder)),
            Err(FolderError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The names in the folder that are not folders themselves, in no order; at most [`Self::MAX_ENTRIES`], and whether there
    /// are more.
    pub fn names(&self) -> Result<(Vec<OsString>, bool), FolderError> {
        let fd = self.open_below(Path::new("."), OFlags::DIRECTORY)?;
        let mut names = Vec::new();
        for entry in Dir::read_from(&fd).map_err(io::Error::from)? {
            let entry = entry.map_err(io::Error::from)?;
            if entry.file_type() == FileType::Directory {
                continue;
            }
            if names.len() == Self::MAX_ENTRIES {
                return Ok((names, true));
            }
            names.push(OsString::from_vec(entry.file_name().to_bytes().to_vec()));
        }
        Ok((names, false))
    }

    /// Opens a file in the folder. Never blocks, whatever stands there.
    pub fn open_file(&self, name: &Path) -> Result<File, FolderError> {
        // A FIFO without a writer would block an ordinary open for ever.
        let fd = self.open_below(name, OFlags::NONBLOCK | OFlags::NOCTTY)?;
        match FileType::from_raw_mode(fstat(&fd).map_err(io::Error::from)?.st_mode) {
            FileType::RegularFile => {
                check(&fd, self.trust)?;
                Ok(File::from(fd))
            }
            FileType::Directory => Err(FolderError::NotAFile("a folder")),
            FileType::Fifo => Err(FolderError::NotAFile("a named pipe")),
            FileType::Socket => Err(FolderError::NotAFile("a socket")),
            FileType::Symlink | FileType::CharacterDevice | FileType::BlockDevice | FileType::Unknown => {
                Err(FolderError::NotAFile("a device"))
            }
        }
    }

    fn open_below(&self, name: &Path, flags: OFlags) -> Result<OwnedFd, FolderError> {
        let path = self.below.join(name);
        let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC;
        let opened = match self.origin {
            Origin::Home => openat(&self.base, &path, flags, Mode::empty()),
            Origin::Repository => beneath(self.base.as_fd(), &path, flags),
        };
        opened.map_err(|errno| match errno {
            // openat2(2): RESOLVE_BENEATH gives EXDEV for a path that leads out.
            Errno::XDEV => FolderError::LeadsOut,
            // open(2): a socket cannot be opened.
            Errno::NXIO => FolderError::NotAFile("a socket"),
            other => FolderError::Io(other.into()),
        })
    }
}

fn check(opened: &OwnedFd, trust: Option<Trusted>) -> Result<(), FolderError> {
    let Some(trusted) = trust else { return Ok(()) };
    let stat = fstat(opened).map_err(io::Error::from)?;
    owner::check(&stat, trusted).map_err(FolderError::NotOurs)
}

/// The folder that holds `root`, and `root/name` as seen from it.
fn enclosing(root: &Path, name: &str) -> (PathBuf, PathBuf) {
    match (root.parent(), root.file_name()) {
        (Some(parent), Some(last)) if !parent.as_os_str().is_empty() => (parent.to_owned(), Path::new(last).join(name)),
        (Some(_), Some(last)) => (PathBuf::from("."), Path::new(last).join(name)),
        (None, _) | (_, None) => (root.to_owned(), PathBuf::from(name)),
    }
}

/// Opens `path` below `base` without ever leaving it.
#[cfg(target_os = "linux")]
fn beneath(base: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    use rustix::fs::{ResolveFlags, openat2};
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    // EAGAIN: something was renamed meanwhile, and the kernel could not tell (openat2(2)).
    for _ in 0..16 {
        match openat2(base, path, flags, Mode::empty(), resolve) {
            Err(Errno::AGAIN) => {}
            // Kernels before 5.6, and seccomp filters that do not know the call.
            Err(Errno::NOSYS | Errno::PERM) => return without_links(base, path, flags),
            done => return done,
        }
    }
    Err(Errno::AGAIN)
}

#[cfg(not(target_os = "linux"))]
fn beneath(base: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    without_links(base, path, flags)
}

/// Opens `path` below `base` part by part and follows no link at all. Stricter than needed, where nothing better exists.
fn without_links(base: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut at = rustix::io::fcntl_dupfd_cloexec(base, 0)?;
    let parts: Vec<_> = path.components().filter(|part| matches!(part, std::path::Component::Normal(_))).collect();
    for (index, part) in parts.iter().enumerate() {
        let last = index + 1 == parts.len();
        let own = if last { flags } else { OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY };
        at = openat(&at, part.as_os_str(), own | OFlags::NOFOLLOW, Mode::empty()).map_err(|errno| match errno {
            Errno::LOOP => Errno::XDEV,
            other => other,
        })?;
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use rustix::fd::AsFd;
    use rustix::fs::{CWD, Mode, OFlags, openat};
    use rustix::io::Errno;

    use super::without_links;

    /// The way for kernels without openat2.
    #[test]
    fn without_openat2_no_link_is_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |path: &str| folder.path().join(path);
        std::fs::create_dir_all(at("r/agents")).expect("folders");
        std::fs::File::create(at("r/agents/a.md")).expect("a file");
        symlink("a.md", at("r/agents/link.md")).expect("a link");
        symlink("../..", at("r/out")).expect("a link");
        let root = openat(CWD, at("r"), OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).expect("the root");
        let open = |path: &str| without_links(root.as_fd(), Path::new(path), OFlags::RDONLY).map(drop);
        assert_eq!(open("agents/a.md"), Ok(()));
        assert_eq!(open("agents/link.md"), Err(Errno::XDEV));
        // open(2): O_NOFOLLOW with O_DIRECTORY on a link is ENOTDIR.
        assert_eq!(open("out/r/agents/a.md"), Err(Errno::NOTDIR));
        assert_eq!(open("agents/none.md"), Err(Errno::NOENT));
    }
}
