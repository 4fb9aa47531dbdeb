use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// Opens the folder `path` below `root` (`root` itself when empty), and nothing else: no link is followed, no `..` leaves, no
/// mount of `/proc` is crossed by a magic link, whatever another process swaps in the meantime.
pub(super) fn open_folder(root: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    if path.as_os_str().is_empty() {
        return rustix::fs::openat(root, ".", flags, Mode::empty());
    }
    loop {
        match rustix::fs::openat2(root, path, flags, Mode::empty(), beneath()) {
            // A rename or mount elsewhere made the kernel unsure (openat2(2)): ask again.
            Err(Errno::AGAIN | Errno::INTR) => {}
            // Kernels before 5.6, and seccomp filters older than the call.
            Err(Errno::NOSYS | Errno::PERM) => return open_part_by_part(root, path, flags),
            answer => return answer,
        }
    }
}

/// What every look below a root is held to.
pub(super) fn beneath() -> ResolveFlags {
    ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS
}

/// The same with one `openat` for each part: `O_NOFOLLOW` holds for the last part, and here every part is the last.
fn open_part_by_part(root: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut folder = rustix::fs::openat(root, ".", flags, Mode::empty())?;
    for part in path.components() {
        let std::path::Component::Normal(name) = part else { return Err(Errno::XDEV) };
        folder = rustix::fs::openat(&folder, name, flags, Mode::empty())?;
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::{open_folder, open_part_by_part};
    use rustix::fs::{Mode, OFlags};
    use std::os::fd::AsFd;
    use std::path::Path;

    #[test]
    fn both_ways_open_folders_and_refuse_links() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("a/b")).unwrap();
        std::os::unix::fs::symlink("a", dir.path().join("link")).unwrap();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let root = rustix::fs::open(dir.path(), flags, Mode::empty()).unwrap();
        for path in ["", "a", "a/b"] {
            assert!(open_folder(root.as_fd(), Path::new(path)).is_ok(), "{path}");
            assert!(open_part_by_part(root.as_fd(), Path::new(path), flags).is_ok(), "{path}");
        }
        for path in ["link", "link/b", "..", "a/../..", "nothing"] {
            assert!(open_folder(root.as_fd(), Path::new(path)).is_err(), "{path}");
            assert!(open_part_by_part(root.as_fd(), Path::new(path), flags).is_err(), "{path}");
        }
    }
}
