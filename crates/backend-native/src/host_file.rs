//! Places of the host on their way to the helper.

use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

use bottle::{FileId, HostPlace, PlaceError, open_exactly};
use helper::wire::HostFile;
use rustix::fs::OFlags;

/// What the helper is told of a place.
pub fn told(place: &HostPlace) -> HostFile {
    let FileId { device, inode } = place.id();
    HostFile { path: place.path().as_os_str().as_bytes().to_vec(), id: (device, inode) }
}

/// Opens, in the helper, what the session has looked at, through no link, or nothing.
pub fn open(file: &HostFile, flags: OFlags) -> Result<OwnedFd, PlaceError> {
    let (device, inode) = file.id;
    open_exactly(file.path(), FileId { device, inode }, flags)
}
