//! Programs that live outside the system folders, most often in the person's home: each is shown read-only at its own path.

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, OFlags, fstat};

use super::lend::Loan;
use super::mounts::{self, NO_DEV, NO_SUID, READ_ONLY};
use super::rootfs::{Layer, give_to_node, real_folder};
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
    /// A mount of the folder, attached nowhere yet.
    LentFolder(OwnedFd),
    /// A mount of the one file, attached nowhere yet.
    File(OwnedFd),
    /// The same, with its ids mapped and restricted already.
    LentFile(OwnedFd),
}

impl Source {
    /// Opens what was looked at when the launch was planned, or nothing.
    pub fn open(tool: &HostFile, loan: Loan) -> Result<Self, StepError> {
        let path = tool.path().to_owned();
        let step = || format!("opening the tool {}", path.display());
        let found = host_file::open(tool, OFlags::PATH).during_with(step)?;
        let mode = fstat(&found).during_with(step)?.st_mode;
        let opened = match (FileType::from_raw_mode(mode), loan) {
            (FileType::Directory, Loan::Made(lent)) => Opened::LentFolder(lent),
            (FileType::RegularFile, Loan::Made(lent)) => Opened::LentFile(lent),
            // Nobody in the bottle is the host's root.
            (FileType::Directory, Loan::Impossible) if mode & 0o005 != 0o005 => return Err(closed(&path)),
            (FileType::RegularFile, Loan::Impossible) if mode & 0o004 == 0 => return Err(closed(&path)),
            (FileType::Directory, Loan::NotNeeded | Loan::Impossible) => Opened::Folder(found),
            (FileType::RegularFile, Loan::NotNeeded | Loan::Impossible) => {
                Opened::File(mounts::detached_from(&found).during_with(step)?)
            }
            // A socket, FIFO or device would be a way out of the bottle, read-only or not.
            (
                FileType::Symlink
                | FileType::Fifo
                | FileType::Socket
                | FileType::CharacterDevice
                | FileType::BlockDevice
                | FileType::Unknown,
                _,
            ) => {
                return Err(StepError { step: step().into(), errno: 0, reason: "it is neither a file nor a folder".to_owned() });
            }
        };
        Ok(Self { path, opened })
    }

    /// Shows it at the same path below `root`. The folders above it are new and hold nothing else.
    pub fn attach(self, root: &Path, layer: &Layer, ids: Ids) -> Result<(), StepError> {
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
                Opened::Folder(_) | Opened::LentFolder(_) => fs::create_dir(&place).during_with(step)?,
                Opened::File(_) | Opened::LentFile(_) => drop(fs::File::create(&place).during_with(step)?),
            }
        }
        match self.opened {
            Opened::Folder(folder) => {
                // By descriptor: the path leads through folders that the bottle's root may not enter, and no name in it can
                // be taken for one of the overlay's separators.
                let lower = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
                mounts::shown(&lower, &layer.path("empty"), &place)
            }
            Opened::LentFolder(lent) => mounts::shown(&layer.keep(&lent)?, &layer.path("empty"), &place),
            Opened::File(file) => mounts::attach(file, &place, READ_ONLY | NO_SUID | NO_DEV),
            Opened::LentFile(file) => mounts::put(&file, &place),
        }
    }
}

fn closed(path: &Path) -> StepError {
    let reason = format!(
        "only its owner may read it on the host, and neither this kernel nor its file system can show it to others \
         (mount_setattr(2), MOUNT_ATTR_IDMAP): chmod -R go+rX {}",
        path.display()
    );
    StepError { step: format!("opening the tool {}", path.display()).into(), errno: 0, reason }
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
