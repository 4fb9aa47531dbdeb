//! Folders of the host at their own places in the bottle, below private layers, whatever is mounted in them.
//!
//! An overlay has inodes of its own, so sockets and FIFOs of the host are connected to nobody in it, and no lock or time of the
//! host's can be touched. But it shows nothing that is mounted below its lower folder, and the kernel refuses one over a folder
//! in which something is mounted that this namespace may not unmount, as all is that was mounted outside: nobody may look
//! beneath a mount (`has_locked_children`, fs/namespace.c). Such a folder is put together from its entries.

use std::fs::{self, FileType};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::mounts::{self, NO_DEV, NO_EXEC, NO_SUID, READ_ONLY};
use super::rootfs::Layer;
use crate::mount_table::MountTable;
use crate::system_folders::{FEW, MANY};
use helper::step::{During, StepError};

/// Puts host folders into the root that is being built.
pub struct HostFolders<'a> {
    layer: &'a Layer,
    root: &'a Path,
    table: MountTable,
}

impl<'a> HostFolders<'a> {
    /// Reads what is mounted.
    pub fn new(layer: &'a Layer, root: &'a Path) -> Result<Self, StepError> {
        Ok(Self { layer, root, table: MountTable::read().during("reading /proc/self/mountinfo")? })
    }

    /// What is mounted.
    pub fn table(&self) -> &MountTable {
        &self.table
    }

    /// Shows one host path at the same place, at which nothing is yet.
    pub fn show(&self, host: &Path) -> Result<(), StepError> {
        let place = self.place(host);
        let Ok(metadata) = fs::symlink_metadata(host) else { return Ok(()) };
        let step = || format!("showing {}", host.display());
        if metadata.is_symlink() {
            let target = fs::read_link(host).during_with(step)?;
            return symlink(target, &place).during_with(step);
        }
        if metadata.is_file() {
            fs::File::create(&place).during_with(step)?;
            return mounts::bind(host, &place, READ_ONLY | NO_SUID | NO_DEV);
        }
        if !metadata.is_dir() {
            return Ok(());
        }
        fs::create_dir(&place).during_with(step)?;
        self.fill(host)
    }

    /// Shows what is in a folder in the empty one at its place.
    pub fn fill(&self, host: &Path) -> Result<(), StepError> {
        if !self.table.shows(host) {
            return Ok(());
        }
        let place = self.place(host);
        if !self.table.is_mounted_below(host) {
            return self.layer.overlay(host, &place);
        }
        let entries = entries(host)?;
        if entries.len() <= FEW {
            return entries.iter().try_for_each(|(entry, _)| self.show(entry));
        }
        // Its own files are the host's inodes: nothing can be installed there, and what is locked is locked for the host too.
        mounts::bind(host, &place, READ_ONLY | NO_SUID | NO_DEV)?;
        self.cover(host, &entries)
    }

    /// Lays something of the bottle's own over all that is not a plain file in a folder that is bound.
    fn cover(&self, host: &Path, entries: &[(PathBuf, FileType)]) -> Result<(), StepError> {
        let folders = entries.iter().filter(|(_, kind)| kind.is_dir()).count();
        if folders > MANY {
            let reason = format!(
                "it holds {folders} folders and something is mounted below it, and each folder would need a layer of its own: \
                 unmount that, or give the bottle an image"
            );
            return Err(StepError { step: format!("showing {}", host.display()).into(), errno: 0, reason });
        }
        for (entry, kind) in entries {
            let place = self.place(entry);
            if kind.is_symlink() || kind.is_file() {
                continue;
            }
            if !kind.is_dir() {
                // A socket or FIFO would lead out, read-only or not.
                mounts::bind(&self.layer.path("hidden"), &place, READ_ONLY | NO_SUID | NO_DEV | NO_EXEC)?;
            } else if !self.table.shows(entry) {
                mounts::bind(&self.layer.path("empty"), &place, READ_ONLY | NO_SUID | NO_DEV | NO_EXEC)?;
            } else if self.table.is_mounted_below(entry) {
                self.cover(entry, &self::entries(entry)?)?;
            } else {
                self.layer.overlay(entry, &place)?;
            }
        }
        Ok(())
    }

    fn place(&self, host: &Path) -> PathBuf {
        self.root.join(host.strip_prefix("/").unwrap_or(host))
    }
}

fn entries(folder: &Path) -> Result<Vec<(PathBuf, FileType)>, StepError> {
    let list = || fs::read_dir(folder)?.map(|entry| entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))).collect();
    let listed: std::io::Result<Vec<_>> = list();
    listed.during_with(|| format!("showing {}", folder.display()))
}
