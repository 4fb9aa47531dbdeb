//! Programs that live outside the system folders, most often in the person's home: each is shown read-only at its own path.

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, OFlags, fstat};

use super::mounts::{self, NO_DEV, NO_SUID, READ_ONLY};
use super::rootfs::{give_to_node, real_folder};
use crate::host_file;
use helper::step::{During, StepError};
use helper::wire::{HostFile, Ids};

/// One host path, opened while the helper still has the person's id.
pub struct Source {
    path: PathBuf,
    opened: Opened,
}

enum Opened {
    /// The folder itself, for an overlay to lie on.
    Folder(OwnedFd),
    /// A mount of the one file, attached nowhere yet.
    File(OwnedFd),
}

impl Source {
    /// Opens what was looked at when the launch was planned, or nothing.
    pub fn open(tool: &HostFile) -> Result<Self, StepError> {
        let path = tool.path().to_owned();
        let step = || format!("opening the tool {}", path.display());
        let found = host_file::open(tool, OFlags::PATH).during_with(step)?;
        let opened = match FileType::from_raw_mode(fstat(&found).during_with(step)?.st_mode) {
            FileType::Directory => Opened::Folder(found),
            FileType::RegularFile => Opened::File(mounts::detached_from(&found).during_with(step)?),
            // A socket, FIFO or device would be a way out of the bottle, read-only or not.
            FileType::Symlink
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => {
                return Err(StepError { step: step().into(), errno: 0, reason: "it is neither a file nor a folder".to_owned() });
            }
        };
        Ok(Self { path, opened })
    }

    /// Shows it at the same path below `root`. The folders above it are new and hold nothing else. `empty` is an empty folder.
    pub fn attach(self, root: &Path, empty: &Path, ids: Ids) -> Result<(), StepError> {
        let relative = self.path.strip_prefix("/").unwrap_or(&self.path).to_owned();
        let home = Path::new("home/node");
        let mut place = root.to_owned();
        for part in relative.parent().into_iter().flat_map(Path::components) {
            place.push(part);
            if fs::symlink_metadata(&place).is_ok() {
                real_folder(&place)?;
                open_for_passing(&place)?;
                continue;
            }
            fs::create_dir(&place).during_with(|| format!("making {}", place.display()))?;
            // On a host where the person is called node, these lie in the bottle's own home.
            if place.strip_prefix(root).is_ok_and(|below| below.starts_with(home)) {
                give_to_node(&place, ids)?;
            }
        }
        let place = root.join(&relative);
        let there = fs::symlink_metadata(&place);
        if there.is_ok_and(|metadata| metadata.is_symlink()) {
            real_folder(&place)?;
        }
        if fs::symlink_metadata(&place).is_err() {
            let step = || format!("making a place for the tool {}", self.path.display());
            match self.opened {
                Opened::Folder(_) => fs::create_dir(&place).during_with(step)?,
                Opened::File(_) => drop(fs::File::create(&place).during_with(step)?),
            }
        }
        match self.opened {
            Opened::Folder(folder) => {
                // By descriptor: the path leads through folders that the bottle's root may not enter, and no name in it can
                // be taken for one of the overlay's separators.
                let lower = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
                mounts::shown(&lower, empty, &place)
            }
            Opened::File(file) => mounts::attach(file, &place, READ_ONLY | NO_SUID | NO_DEV),
        }
    }
}

/// Lets everybody pass through a folder of the root itself, not list it: a person who is root on the host has tools below
/// `/root`, which is closed to `node` otherwise.
fn open_for_passing(place: &Path) -> Result<(), StepError> {
    let mode =
        fs::symlink_metadata(place).during_with(|| format!("looking at {}", place.display()))?.permissions().mode() & 0o7777;
    if mode & 0o001 != 0 {
        return Ok(());
    }
    fs::set_permissions(place, fs::Permissions::from_mode(mode | 0o111))
        .during_with(|| format!("opening {} for passing", place.display()))
}
