//! Where a member is unpacked, and how it is put in its place.

use std::ffi::{CString, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, fchmod, linkat, mkdirat, open, renameat, renameat_with, statat, unlinkat};
use rustix::io::Errno;
use rustix::path::Arg;

use super::{Refused, keep, remove};
use crate::beneath;

/// A folder that only root can enter, in the lowest folder above a member's place that exists: on the same file system as
/// the place, so that a rename puts the member there whole.
pub struct Stage {
    /// The lowest existing folder above the place.
    above: Rc<OwnedFd>,
    above_path: PathBuf,
    /// Folders between `above` and the place that do not exist yet.
    missing: Vec<OsString>,
    /// The place's own name.
    name: OsString,
    folder: Rc<OwnedFd>,
    folder_name: Rc<CString>,
    number: usize,
}

impl Stage {
    /// Prepares for member `number` at `path`. Shares the folder of the member before when both lie in the same one.
    pub fn beside(path: &Path, number: usize, before: Option<&Self>) -> io::Result<Self> {
        let name = path.file_name().ok_or_else(|| io::Error::other("the root itself cannot be replaced"))?.to_owned();
        let (above, above_path, missing) = lowest_existing(path.parent().unwrap_or(Path::new("/")))?;
        if let Some(before) = before.filter(|before| before.above_path == above_path) {
            let (above, folder) = (Rc::clone(&before.above), Rc::clone(&before.folder));
            return Ok(Self { above, above_path, missing, name, folder, folder_name: Rc::clone(&before.folder_name), number });
        }
        let folder_name = CString::new(format!(".bot-bottle-{:016x}", random()?)).map_err(io::Error::other)?;
        mkdirat(&above, folder_name.as_c_str(), Mode::RWXU)?;
        let folder = beneath::child(&above, folder_name.as_c_str())?;
        let (above, folder, folder_name) = (Rc::new(above), Rc::new(folder), Rc::new(folder_name));
        Ok(Self { above, above_path, missing, name, folder, folder_name, number })
    }

    /// Where the member is unpacked, under its number.
    pub fn folder(&self) -> BorrowedFd<'_> {
        (*self.folder).as_fd()
    }

    /// Removes what is left: the folder, and what the member replaced.
    pub fn clear(&self) {
        let _ = remove::tree(self.above.as_fd(), &self.folder_name);
    }

    fn staged(&self) -> String {
        self.number.to_string()
    }

    fn aside(&self) -> String {
        format!("before-{}", self.number)
    }
}

/// Puts every member in its place, or none.
pub fn commit(stages: &[Stage]) -> Result<(), Refused> {
    let mut placed = Vec::with_capacity(stages.len());
    for stage in stages {
        // What the last member covers is wanted back by nobody: nothing comes that could still fail.
        let is_last = stages.last().is_some_and(|last| last.number == stage.number);
        match place(stage, if is_last { Covered::Forgotten } else { Covered::Kept }) {
            Ok(done) => placed.push(done),
            Err(error) => {
                for done in placed.into_iter().rev() {
                    done.undo();
                }
                return Err(Refused { member: Some(stage.number), reason: error.to_string() });
            }
        }
    }
    Ok(())
}

/// A member that stands in its place, and how to take it back.
struct Placed<'a> {
    stage: &'a Stage,
    parent: OwnedFd,
    before: Before,
}

/// What stood at a member's place before, and where it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing, or something that nobody wants back.
    Nothing,
    /// In the stage, under the member's own name there.
    Exchanged,
    /// In the stage, under another name: itself, or a copy of it.
    Aside,
}

/// What becomes of a file or folder of a lower layer, which no rename takes aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Covered {
    /// A copy of it is kept in the stage.
    Kept,
    /// Nothing.
    Forgotten,
}

impl Placed<'_> {
    fn undo(self) {
        let (stage, name) = (self.stage, self.stage.name.as_os_str());
        let back = || rename_to_free((&self.parent, name), (stage.folder(), &*stage.staged()));
        let _ = match self.before {
            Before::Exchanged => renameat_with(&self.parent, name, stage.folder(), stage.staged(), RenameFlags::EXCHANGE),
            Before::Nothing => back(),
            Before::Aside => back().and_then(|()| rename_to_free((stage.folder(), &*stage.aside()), (&self.parent, name))),
        };
    }
}

fn place(stage: &Stage, covered: Covered) -> io::Result<Placed<'_>> {
    let mut parent = rustix::io::fcntl_dupfd_cloexec(stage.above.as_fd(), 3)?;
    for name in &stage.missing {
        match mkdirat(&parent, name.as_os_str(), Mode::from_raw_mode(0o755)) {
            Ok(()) => {
                let made = beneath::child(&parent, name.as_os_str())?;
                fchmod(&made, Mode::from_raw_mode(0o755))?;
                parent = made;
            }
            // A member before this one made it.
            Err(Errno::EXIST) => parent = beneath::child(&parent, name.as_os_str())?,
            Err(error) => return Err(error.into()),
        }
    }
    // An exchange is atomic: whoever looks sees the old or the new one, never neither (`rename(2)`, RENAME_EXCHANGE).
    let put = |flags| renameat_with(stage.folder(), stage.staged(), &parent, stage.name.as_os_str(), flags);
    let before = match rename_to_free((stage.folder(), &*stage.staged()), (&parent, stage.name.as_os_str())) {
        Ok(()) => Before::Nothing,
        Err(Errno::EXIST) => match put(RenameFlags::EXCHANGE) {
            Ok(()) => Before::Exchanged,
            Err(Errno::INVAL) => {
                put_without_exchange(stage, &parent)?;
                Before::Aside
            }
            // What stands there is a file or folder of a lower layer (an image's, the host's), which an overlay cannot take aside: a
            // file whose owner the bottle does not know cannot be copied up, and a folder not be moved without redirects
            // (`overlayfs.rst`, "renaming directories").
            Err(Errno::XDEV | Errno::OVERFLOW) => cover(stage, &parent, covered)?,
            Err(error) => return Err(error.into()),
        },
        Err(error) => return Err(error.into()),
    };
    Ok(Placed { stage, parent, before })
}

/// Puts a member over a file or folder of a lower layer.
fn cover(stage: &Stage, parent: &OwnedFd, covered: Covered) -> io::Result<Before> {
    let name = CString::new(stage.name.as_bytes()).map_err(io::Error::other)?;
    let aside = CString::new(stage.aside()).map_err(io::Error::other)?;
    let before = match covered {
        Covered::Kept => {
            let kept = keep::copy((parent.as_fd(), &name), (stage.folder(), &aside));
            kept.map_err(|error| io::Error::new(error.kind(), format!("keeping what stands there: {error}")))?;
            Before::Aside
        }
        Covered::Forgotten => Before::Nothing,
    };
    let put = |flags| renameat_with(stage.folder(), stage.staged(), parent, stage.name.as_os_str(), flags);
    // A file is replaced, as atomically as by an exchange. A folder is hidden first, and for a moment nothing is there.
    if put(RenameFlags::empty()).is_ok() {
        return Ok(before);
    }
    let covered = remove::tree(parent, &name)
        .and_then(|()| Ok(rename_to_free((stage.folder(), &*stage.staged()), (parent, stage.name.as_os_str()))?));
    if covered.is_err() && before == Before::Aside {
        // Half of it may be gone.
        remove::tree(parent, &name)?;
        rename_to_free((stage.folder(), &*stage.aside()), (parent, stage.name.as_os_str()))?;
    }
    covered.map(|()| before)
}

/// For a kernel that cannot exchange (gVisor's). A file is replaced by a file at once all the same, while a second name keeps the old one;
/// of folders the old one is put aside, and for a moment nothing is there.
fn put_without_exchange(stage: &Stage, parent: &OwnedFd) -> io::Result<()> {
    let name = stage.name.as_os_str();
    if linkat(parent, name, stage.folder(), stage.aside(), AtFlags::empty()).is_ok() {
        if renameat(stage.folder(), stage.staged(), parent, name).is_ok() {
            return Ok(());
        }
        unlinkat(stage.folder(), stage.aside(), AtFlags::empty())?;
    }
    rename_to_free((parent, name), (stage.folder(), &*stage.aside()))?;
    rename_to_free((stage.folder(), &*stage.staged()), (parent, name)).or_else(|error| {
        rename_to_free((stage.folder(), &*stage.aside()), (parent, name))?;
        Err(error.into())
    })
}

/// Renames to a name that nobody has (`RENAME_NOREPLACE`). On what the host could change too, such as a volume, gVisor's older ones know no
/// such rename: there it is looked at first. What the bottle's own programs put there in between is replaced, as what stood there is.
fn rename_to_free(from: (impl AsFd, impl Arg + Copy), to: (impl AsFd, impl Arg + Copy)) -> rustix::io::Result<()> {
    match renameat_with(&from.0, from.1, &to.0, to.1, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL) => match statat(&to.0, to.1, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => renameat(&from.0, from.1, &to.0, to.1),
            Ok(_) => Err(Errno::EXIST),
            Err(error) => Err(error),
        },
        done => done,
    }
}

/// Walks down from the root without following links, as far as folders exist.
fn lowest_existing(path: &Path) -> io::Result<(OwnedFd, PathBuf, Vec<OsString>)> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut here = open("/", flags, Mode::empty())?;
    let mut here_path = PathBuf::from("/");
    let mut parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::RootDir | Component::CurDir | Component::ParentDir | Component::Prefix(_) => None,
    });
    while let Some(name) = parts.next() {
        match beneath::child(&here, &name) {
            Ok(next) => {
                here = next;
                here_path.push(&name);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((here, here_path, std::iter::once(name).chain(parts).collect()));
            }
            Err(error) if matches!(Errno::from_io_error(&error), Some(Errno::LOOP | Errno::NOTDIR)) => {
                let reason = format!("{} is a link or no folder; nothing is copied through it", here_path.join(&name).display());
                return Err(io::Error::other(reason));
            }
            Err(error) => return Err(error),
        }
    }
    Ok((here, here_path, Vec::new()))
}

fn random() -> io::Result<u64> {
    let mut bytes = [0u8; 8];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(u64::from_ne_bytes(bytes))
}
