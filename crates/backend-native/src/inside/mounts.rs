//! The few ways in which the helper mounts (`mount_setattr(2)`, `open_tree(2)`, `move_mount(2)`).

use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::CWD;
use rustix::mount::{MountFlags, MoveMountFlags, OpenTreeFlags, mount, move_mount, open_tree};

use crate::sys;
use helper::step::{During, StepError};

/// `MOUNT_ATTR_RDONLY`, `mount_setattr(2)`.
pub const READ_ONLY: u64 = 0x1;
/// `MOUNT_ATTR_NOSUID`.
pub const NO_SUID: u64 = 0x2;
/// `MOUNT_ATTR_NODEV`.
pub const NO_DEV: u64 = 0x4;
/// `MOUNT_ATTR_NOEXEC`.
pub const NO_EXEC: u64 = 0x8;

/// A copy of the mounts at `path`, attached nowhere yet.
pub fn detached(path: &Path) -> Result<OwnedFd, StepError> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    open_tree(CWD, path, flags).during_with(|| format!("opening {}", path.display()))
}

/// The same of what is open: whatever has its name by now.
pub fn detached_from(found: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    open_tree(found, c"", flags)
}

/// Attaches a copy at `target` with `attributes`.
pub fn attach(tree: OwnedFd, target: &Path, attributes: u64) -> Result<(), StepError> {
    sys::mount_set_attributes(tree.as_fd(), attributes).during_with(|| format!("restricting {}", target.display()))?;
    put(&tree, target)
}

/// Attaches a copy at `target` as it is.
pub fn put(tree: &OwnedFd, target: &Path) -> Result<(), StepError> {
    move_mount(tree, c"", CWD, target, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        .during_with(|| format!("attaching {}", target.display()))
}

/// Binds a host path to a place of the new root.
pub fn bind(source: &Path, target: &Path, attributes: u64) -> Result<(), StepError> {
    attach(detached(source)?, target, attributes)
}

/// Mounts a tmpfs; `options` as in `tmpfs(5)`.
pub fn tmpfs(target: &Path, flags: MountFlags, options: &str) -> Result<(), StepError> {
    mount("tmpfs", target, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV | flags, Some(&*c_string(options)?))
        .during_with(|| format!("mounting a tmpfs at {}", target.display()))
}

/// An overlay of `lower` (read-only, the host's) and a private upper layer. `userxattr` makes it possible without privilege
/// (Linux 5.11, `Documentation/filesystems/overlayfs.rst`).
pub fn overlay(lower: &Path, upper: &Path, work: &Path, target: &Path) -> Result<(), StepError> {
    let mut options = Vec::new();
    for (name, path) in [("lowerdir=", lower), (",upperdir=", upper), (",workdir=", work)] {
        options.extend(name.bytes());
        // A comma ends an option, a colon a layer.
        options.extend(path.as_os_str().as_bytes().iter().flat_map(|byte| {
            let escape = matches!(byte, b'\\' | b',' | b':').then_some(b'\\');
            escape.into_iter().chain(std::iter::once(*byte))
        }));
    }
    options.extend(b",userxattr");
    mount("overlay", target, "overlay", MountFlags::NOSUID | MountFlags::NODEV, Some(&*c_string(options)?))
        .during_with(|| format!("laying a private layer over {}", lower.display()))
}

/// Shows `lower` as it is, through an overlay without a writable layer; `empty` is a folder with nothing in it, because an
/// overlay of one layer alone is not allowed. Unlike a bind, which is the host's own folder, it has inodes of its own: what
/// is a socket or FIFO in `lower` is connected to nobody here, and no lock or time of the host's can be touched.
pub fn shown(lower: &Path, empty: &Path, target: &Path) -> Result<(), StepError> {
    let options = format!("lowerdir={}:{},userxattr", lower.display(), empty.display());
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    mount("overlay", target, "overlay", flags, Some(&*c_string(options)?))
        .during_with(|| format!("showing the tool {}", target.display()))
}

fn c_string(text: impl Into<Vec<u8>>) -> Result<CString, StepError> {
    CString::new(text).during("writing mount options")
}
