//! Copying a file or folder of a lower layer into the stage before a member covers it, so that it can come back.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{
    AtFlags, Dir, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid, fchmod, fchown, fstat, futimens, mkdirat, openat,
    readlinkat, statat, symlinkat,
};
use rustix::io::Errno;

use crate::beneath;

/// Deepest tree that is kept: each level holds descriptors.
const DEEPEST: usize = 128;

/// Copies what stands at `from`, a name in a folder, to `to`, following nothing. Files, folders and links: a socket, FIFO or device of
/// a lower layer is nothing that a bottle could use, and is left out.
///
/// # Errors
/// When something cannot be read or written, or the tree is too deep.
pub fn copy(from: (BorrowedFd<'_>, &CStr), to: (BorrowedFd<'_>, &CStr)) -> io::Result<()> {
    level(from, to, DEEPEST)
}

fn level((parent, name): (BorrowedFd<'_>, &CStr), (into, new): (BorrowedFd<'_>, &CStr), depth: usize) -> io::Result<()> {
    if depth == 0 {
        return Err(io::Error::other("the tree is too deep"));
    }
    let kind = FileType::from_raw_mode(statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode);
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match kind {
        FileType::Symlink => symlinkat(readlinkat(parent, name, Vec::new())?, into, new)?,
        FileType::RegularFile => {
            // Without waiting: something else may have been put there meanwhile.
            let old = File::from(openat(parent, name, flags | OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())?);
            let create = flags | OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
            let mut copy = File::from(openat(into, new, create, Mode::RUSR)?);
            let stat = fstat(&old)?;
            if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
                return Err(io::Error::other("it changed meanwhile"));
            }
            io::copy(&mut &old, &mut copy)?;
            dress(&copy, &stat)?;
        }
        FileType::Directory => {
            let old = beneath::child(parent, name)?;
            mkdirat(into, new, Mode::RWXU)?;
            let copy = beneath::child(into, new)?;
            for entry in Dir::read_from(&old)? {
                let entry = entry?;
                if entry.file_name() != c"." && entry.file_name() != c".." {
                    level((old.as_fd(), entry.file_name()), (copy.as_fd(), entry.file_name()), depth - 1)?;
                }
            }
            dress(&copy, &fstat(&old)?)?;
        }
        _ => {}
    }
    Ok(())
}

/// Owner, mode and time of the old one. An owner that the bottle does not know cannot be given: the copy stays the helper's. Set-id bits
/// do not come along.
fn dress(copy: impl AsFd, stat: &Stat) -> io::Result<()> {
    match fchown(&copy, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid))) {
        Ok(()) | Err(Errno::PERM | Errno::INVAL) => {}
        Err(error) => return Err(error.into()),
    }
    fchmod(&copy, Mode::from_raw_mode(stat.st_mode & 0o1777))?;
    let time = Timespec { tv_sec: stat.st_mtime as _, tv_nsec: stat.st_mtime_nsec as _ };
    Ok(futimens(&copy, &Timestamps { last_access: time, last_modification: time })?)
}
