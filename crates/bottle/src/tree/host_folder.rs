use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::TreePath;
use super::link::{Leads, depth_of, leads};
use super::sink::{SinkError, SinkLimits, Tally, TreeSink};
use crate::host_place::open_below;

/// Writes to one place on the host that did not exist before: a folder when a folder comes, a file when a file comes.
///
/// The bottle chose every name, so nothing is opened by path: each entry is made below the folder's descriptor, without
/// following links, and only where nothing stands. Links that lead out are left out and listed. Set-id and sticky bits are
/// dropped, the person's umask holds, and folders stay open to their owner, so that what has come can be deleted.
#[derive(Debug)]
pub struct HostFolder {
    place: PathBuf,
    parent: OwnedFd,
    name: OsString,
    root: Option<OwnedFd>,
    /// The folder in which something was last made, to open it once for all of its entries.
    last: Option<(PathBuf, OwnedFd)>,
    file: Option<File>,
    tally: Tally,
    left_out: Vec<(TreePath, PathBuf)>,
}

impl HostFolder {
    /// Prepares to write to `place`. Its parent must exist, and may lead through links: the person named it.
    ///
    /// # Errors
    /// When something stands there already, or its parent cannot be opened.
    pub fn create(place: impl Into<PathBuf>, limits: SinkLimits) -> Result<Self, SinkError> {
        let place = place.into();
        let Some(name) = place.file_name().map(ToOwned::to_owned) else {
            return Err(SinkError::new(place, "it names no place for a new file or folder"));
        };
        let parent = match place.parent() {
            Some(parent) if parent != Path::new("") => parent,
            Some(_) | None => Path::new("."),
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let parent = rustix::fs::open(parent, flags, Mode::empty()).map_err(|error| SinkError::new(parent, error.to_string()))?;
        match rustix::fs::statat(&parent, &name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => {}
            Ok(_) => return Err(SinkError::new(place, "it exists already; name a place that does not")),
            Err(error) => return Err(SinkError::new(place, error.to_string())),
        }
        let tally = Tally::new(limits);
        Ok(Self { place, parent, name, root: None, last: None, file: None, tally, left_out: Vec::new() })
    }

    /// The links that led out of the copy, with their targets. They were not made.
    pub fn links_left_out(&self) -> &[(TreePath, PathBuf)] {
        &self.left_out
    }

    /// Runs `make` with the folder and the name in it under which `path` is to be made.
    fn make<T>(&mut self, path: &TreePath, make: impl FnOnce(&OwnedFd, &Path) -> Result<T, Errno>) -> Result<T, SinkError> {
        let shown = self.place.join(path.as_path());
        let answer = match (path.as_path().parent(), path.as_path().file_name()) {
            (Some(parent), Some(name)) => make(self.open(parent, &shown)?, Path::new(name)),
            (None, _) | (_, None) => make(&self.parent, Path::new(&self.name)),
        };
        answer.map_err(|error| match error {
            Errno::EXIST => SinkError::new(shown, "it exists already, and nothing is overwritten"),
            other => SinkError::new(shown, other.to_string()),
        })
    }

    fn open(&mut self, folder: &Path, shown: &Path) -> Result<&OwnedFd, SinkError> {
        let Some(root) = &self.root else { return Err(SinkError::new(shown, "it came before the folder that holds it")) };
        let opened = match self.last.take() {
            Some((last, fd)) if last == folder => (last, fd),
            Some(_) | None => {
                let fd = open_below(root.as_fd(), folder, OFlags::RDONLY | OFlags::DIRECTORY).map_err(|error| match error {
                    Errno::NOENT => SinkError::new(shown, "it came before the folder that holds it"),
                    Errno::LOOP | Errno::NOTDIR => SinkError::new(shown, "what holds it is no folder"),
                    other => SinkError::new(shown, other.to_string()),
                })?;
                (folder.to_owned(), fd)
            }
        };
        Ok(&self.last.insert(opened).1)
    }
}

impl TreeSink for HostFolder {
    fn folder(&mut self, path: &TreePath, mode: u32) -> Result<(), SinkError> {
        self.tally.entry(path)?;
        let mode = Mode::from_raw_mode(mode & 0o777 | 0o700);
        let is_root = path.is_root();
        let root = self.make(path, |folder, name| {
            rustix::fs::mkdirat(folder, name, mode)?;
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            if is_root { rustix::fs::openat(folder, name, flags, Mode::empty()).map(Some) } else { Ok(None) }
        })?;
        if let Some(root) = root {
            self.root = Some(root);
        }
        Ok(())
    }

    fn begin_file(&mut self, path: &TreePath, mode: u32, size: u64) -> Result<(), SinkError> {
        self.tally.begin(path, size)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(mode & 0o777);
        match self.make(path, |folder, name| rustix::fs::openat(folder, name, flags, mode)) {
            Ok(file) => {
                self.file = Some(File::from(file));
                Ok(())
            }
            Err(error) => {
                self.tally.abandon();
                Err(error)
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        self.tally.write(bytes)?;
        let Some(file) = &mut self.file else { return Err(SinkError::new(&self.place, "bytes without a file")) };
        file.write_all(bytes).map_err(|error| SinkError::io(&self.place, &error))
    }

    fn end_file(&mut self) -> Result<(), SinkError> {
        self.file = None;
        self.tally.end().map(drop)
    }

    fn link(&mut self, path: &TreePath, target: &Path) -> Result<(), SinkError> {
        self.tally.entry(path)?;
        match leads(depth_of(path.as_path()), target) {
            Leads::Inside => self.make(path, |folder, name| rustix::fs::symlinkat(target, folder, name)),
            // The bottle may have made the link in the middle too, so its text proves nothing.
            Leads::InsideAsFarAsNamesTell | Leads::Outside => {
                self.left_out.push((path.clone(), target.to_owned()));
                Ok(())
            }
        }
    }
}
