//! Removing a tree without following anything in it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, Dir, FileType, unlinkat};
use rustix::io::Errno;

use crate::beneath;

/// Deepest tree that is removed: each level holds a descriptor, and the agent may have built a deeper one to exhaust them.
/// What is left stays in a folder that is closed to it, and ends with the bottle.
const DEEPEST: usize = 512;

/// Removes `name` in `folder` and all below it. Nothing there is no error.
pub fn tree(folder: impl AsFd, name: &std::ffi::CStr) -> io::Result<()> {
    level(folder.as_fd(), name, DEEPEST)
}

fn level(folder: BorrowedFd<'_>, name: &std::ffi::CStr, depth: usize) -> io::Result<()> {
    if depth == 0 {
        return Err(io::Error::other("the tree is too deep"));
    }
    match unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error.into()),
    }
    let below = beneath::child(folder, name)?;
    for entry in Dir::read_from(&below)? {
        let entry = entry?;
        let inner = entry.file_name();
        if inner == c"." || inner == c".." {
            continue;
        }
        if entry.file_type() == FileType::Directory {
            level(below.as_fd(), inner, depth - 1)?;
        } else {
            unlinkat(&below, inner, AtFlags::empty())?;
        }
    }
    Ok(unlinkat(folder, name, AtFlags::REMOVEDIR)?)
}
