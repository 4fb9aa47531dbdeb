use std::io::Write as _;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{self, AtFlags, Mode, OFlags};

use crate::StoreError;

/// Writes `name` in `folder` (0600) so that whoever reads it sees the old or the new content, never half of either.
///
/// It is not forced to the disk: what a session keeps means nothing after a power cut, and `fsync` would cost more than
/// the whole launch.
pub(crate) fn write(folder: impl AsFd, name: &str, path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let draft = format!(".{name}.{}", std::process::id());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = fs::openat(&folder, &draft, flags, Mode::RUSR | Mode::WUSR);
    let file = file.map_err(|error| StoreError::io("writing", path, error))?;
    let written = std::fs::File::from(file).write_all(content);
    let placed = written
        .map_err(|source| StoreError::Io { operation: "writing", path: path.to_owned(), source })
        .and_then(|()| fs::renameat(&folder, &draft, &folder, name).map_err(|error| StoreError::io("writing", path, error)));
    if placed.is_err() {
        // Best effort: the first error is the one to tell.
        let _ = fs::unlinkat(&folder, &draft, AtFlags::empty());
    }
    placed
}
