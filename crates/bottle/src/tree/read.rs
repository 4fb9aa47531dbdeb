//! Reading host folders that somebody else may be changing: a repository's checkout is hostile.
//!
//! Nothing is opened by a path from the top. The member's root is opened once; every folder is opened below that descriptor
//! without following links, every file below its folder, without following and without blocking, and what was opened is
//! looked at again. So a file that is swapped for a link, FIFO or device after it was listed is neither followed nor waited for.

use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::link::{Leads, depth_of, leads};
use super::{HostSource, TreeError, Uncopyable};
use crate::PlaceError;
use crate::host_place::open_below;

/// How a folder is opened to be listed.
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY);

/// One host file or folder to be read.
pub(super) struct HostMember<'a> {
    pub(super) from: &'a HostSource,
    pub(super) uncopyable: Uncopyable,
    pub(super) exclude: &'a [String],
}

/// Takes what is found, parents first. Paths are relative to the member.
pub(super) trait Receiver {
    fn folder(&mut self, at: &Path, stat: &Stat) -> Result<(), TreeError>;
    fn file(&mut self, at: &Path, place: &Place<'_>) -> Result<(), TreeError>;
    fn link(&mut self, at: &Path, target: &Path, stat: &Stat) -> Result<(), TreeError>;
    fn left_out(&mut self, at: &Path);
}

impl HostMember<'_> {
    pub(super) fn walk(&self, to: &mut dyn Receiver) -> Result<(), TreeError> {
        let top = Path::new("");
        let found = self.find()?;
        let stat = rustix::fs::fstat(&found).map_err(|error| self.failed(top, error, false))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => self.walk_folder(&found, to),
            FileType::RegularFile => {
                // What was found, not what has its name by now (`proc_pid_fd(5)`).
                let name = CString::new(format!("/proc/self/fd/{}", found.as_raw_fd()))
                    .map_err(|_| self.failed(top, Errno::INVAL, false))?;
                let place = Place { member: self, at: top, folder: rustix::fs::CWD, name: &name, follow: OFlags::empty() };
                to.file(top, &place)
            }
            other => Err(self.special(top, other)),
        }
    }

    /// The member itself, not yet opened for reading.
    fn find(&self) -> Result<OwnedFd, TreeError> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        match self.from {
            // The person has just named this path: it may lead through links.
            HostSource::Named(path) => {
                rustix::fs::open(path, flags, Mode::empty()).map_err(|error| self.failed(Path::new(""), error, false))
            }
            HostSource::Looked(place) => place.open(flags).map_err(|error| match error {
                PlaceError::Open { path, source } if source.kind() == std::io::ErrorKind::NotFound => {
                    TreeError::Missing { path, vanished: false }
                }
                error => TreeError::Place(error),
            }),
        }
    }

    fn walk_folder(&self, found: &OwnedFd, to: &mut dyn Receiver) -> Result<(), TreeError> {
        let root = open_below(found.as_fd(), Path::new(""), FOLDER).map_err(|error| self.failed(Path::new(""), error, true))?;
        // One descriptor for the root and one for the folder at hand, however deep the tree is.
        let mut pending = vec![PathBuf::new()];
        while let Some(at) = pending.pop() {
            let folder = open_below(root.as_fd(), &at, FOLDER).map_err(|error| self.failed(&at, error, true))?;
            let stat = rustix::fs::fstat(&folder).map_err(|error| self.failed(&at, error, true))?;
            to.folder(&at, &stat)?;
            let mut below = self.visit(&root, &folder, &at, to)?;
            below.reverse();
            pending.append(&mut below);
        }
        Ok(())
    }

    /// Hands over the files and links of one folder; returns its folders, in order.
    fn visit(&self, root: &OwnedFd, folder: &OwnedFd, at: &Path, to: &mut dyn Receiver) -> Result<Vec<PathBuf>, TreeError> {
        let mut folders = Vec::new();
        for (name, listed) in self.list(folder, at)? {
            let below = at.join(OsStr::from_bytes(name.to_bytes()));
            let kind = match listed {
                // Some file systems do not say.
                FileType::Unknown => self.kind_of(folder, &name, &below)?,
                known => known,
            };
            match kind {
                FileType::Directory => folders.push(below),
                FileType::RegularFile => {
                    let place = Place { member: self, at: &below, folder: folder.as_fd(), name: &name, follow: OFlags::NOFOLLOW };
                    to.file(&below, &place)?;
                }
                FileType::Symlink => self.link(root, folder, &name, &below, to)?,
                other => match self.uncopyable {
                    Uncopyable::Refuse => return Err(self.special(&below, other)),
                    Uncopyable::LeaveOut => to.left_out(&below),
                },
            }
        }
        Ok(folders)
    }

    fn list(&self, folder: &OwnedFd, at: &Path) -> Result<Vec<(CString, FileType)>, TreeError> {
        let mut names = Vec::new();
        for entry in Dir::read_from(folder).map_err(|error| self.failed(at, error, true))? {
            let entry = entry.map_err(|error| self.failed(at, error, true))?;
            let name = entry.file_name();
            if name != c"." && name != c".." && !self.excludes(at, name) {
                names.push((name.to_owned(), entry.file_type()));
            }
        }
        names.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(names)
    }

    /// A bare name is left out at any depth, a path at its own place alone.
    fn excludes(&self, at: &Path, name: &CStr) -> bool {
        let name = name.to_bytes();
        self.exclude.iter().map(String::as_bytes).any(|excluded| match excluded.strip_suffix(name) {
            Some(b"") => true,
            Some([folder @ .., b'/']) => folder == at.as_os_str().as_bytes(),
            Some(_) | None => false,
        })
    }

    fn kind_of(&self, folder: &OwnedFd, name: &CStr, at: &Path) -> Result<FileType, TreeError> {
        let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|error| self.failed(at, error, true))?;
        Ok(FileType::from_raw_mode(stat.st_mode))
    }

    fn link(&self, root: &OwnedFd, folder: &OwnedFd, name: &CStr, at: &Path, to: &mut dyn Receiver) -> Result<(), TreeError> {
        let target = rustix::fs::readlinkat(folder, name, Vec::new()).map_err(|error| self.failed(at, error, true))?;
        let target = Path::new(OsStr::from_bytes(target.as_bytes())).to_owned();
        let inside = match leads(depth_of(at), &target) {
            Leads::Inside => true,
            Leads::InsideAsFarAsNamesTell => stays_beneath(root, at),
            Leads::Outside => false,
        };
        if inside {
            let stat =
                rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|error| self.failed(at, error, true))?;
            return to.link(at, &target, &stat);
        }
        match self.uncopyable {
            Uncopyable::Refuse => {
                Err(TreeError::LeadsOut { path: self.host_path(at), target, tree: self.from.path().to_owned() })
            }
            Uncopyable::LeaveOut => {
                to.left_out(at);
                Ok(())
            }
        }
    }

    fn host_path(&self, at: &Path) -> PathBuf {
        let top = self.from.path();
        if at.as_os_str().is_empty() { top.to_owned() } else { top.join(at) }
    }

    fn failed(&self, at: &Path, error: Errno, listed_before: bool) -> TreeError {
        let path = self.host_path(at);
        match error {
            Errno::NOENT => TreeError::Missing { path, vanished: listed_before },
            // It was no link, or was a folder, when it was listed: O_NOFOLLOW and O_DIRECTORY caught the swap.
            Errno::LOOP | Errno::NOTDIR | Errno::NXIO if listed_before => TreeError::Changed { path },
            other => TreeError::Read { path, source: other.into() },
        }
    }

    fn special(&self, at: &Path, kind: FileType) -> TreeError {
        let kind = match kind {
            FileType::Fifo => "FIFO",
            FileType::Socket => "socket",
            FileType::CharacterDevice | FileType::BlockDevice => "device",
            FileType::RegularFile | FileType::Directory | FileType::Symlink | FileType::Unknown => "thing of an unknown kind",
        };
        TreeError::Special { path: self.host_path(at), kind }
    }
}

/// Whether the kernel finds that the link at `at` stays below `root`. A link to nothing stays where its names tell.
fn stays_beneath(root: &OwnedFd, at: &Path) -> bool {
    let rules = rustix::fs::ResolveFlags::BENEATH | rustix::fs::ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(root, at, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), rules) {
        Ok(_) | Err(Errno::NOENT | Errno::NOTDIR) => true,
        Err(_) => false,
    }
}

/// A regular file as it was listed.
pub(super) struct Place<'a> {
    member: &'a HostMember<'a>,
    at: &'a Path,
    folder: BorrowedFd<'a>,
    name: &'a CStr,
    follow: OFlags,
}

impl Place<'_> {
    /// Opens it and looks again: what is returned is a regular file.
    pub(super) fn open(&self) -> Result<(OwnedFd, Stat), TreeError> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC | self.follow;
        let file = rustix::fs::openat(self.folder, self.name, flags, Mode::empty()).map_err(|error| self.failed(error))?;
        let stat = rustix::fs::fstat(&file).map_err(|error| self.failed(error))?;
        self.still_a_file(&stat)?;
        Ok((file, stat))
    }

    /// Looks at it without opening it, and asks whether it could be opened.
    pub(super) fn look(&self) -> Result<Stat, TreeError> {
        let flags = if self.follow.contains(OFlags::NOFOLLOW) { AtFlags::SYMLINK_NOFOLLOW } else { AtFlags::empty() };
        let stat = rustix::fs::statat(self.folder, self.name, flags).map_err(|error| self.failed(error))?;
        self.still_a_file(&stat)?;
        rustix::fs::accessat(self.folder, self.name, Access::READ_OK, AtFlags::EACCESS).map_err(|error| self.failed(error))?;
        Ok(stat)
    }

    pub(super) fn failed(&self, error: Errno) -> TreeError {
        self.member.failed(self.at, error, true)
    }

    pub(super) fn changed(&self) -> TreeError {
        TreeError::Changed { path: self.member.host_path(self.at) }
    }

    fn still_a_file(&self, stat: &Stat) -> Result<(), TreeError> {
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok(()),
            _other => Err(self.changed()),
        }
    }
}
