//! Opening folders by path without being led elsewhere, on kernels with `openat2(2)` and on those without (gVisor's older ones).

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, PROC_SUPER_MAGIC, ResolveFlags, fstat, fstatfs, openat, openat2, readlinkat};
use rustix::io::Errno;

/// Links that are followed before a path counts as a circle (`path_resolution(7)`).
const MOST_LINKS: usize = 40;
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens the folder `name` in `parent`, never through a link.
///
/// In two steps: with `O_DIRECTORY`, gVisor's older ones follow a link in spite of `O_NOFOLLOW`. With `O_PATH` they do not, and nothing
/// that is planted is opened for it.
pub fn child(parent: impl AsFd, name: impl rustix::path::Arg) -> io::Result<OwnedFd> {
    let place = openat(parent, name, OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    Ok(openat(&place, ".", FOLDER, Mode::empty())?)
}

/// Opens the folder `path` below `root`, never through a link.
pub fn folder(root: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    match openat2(root, path, FOLDER, Mode::empty(), ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS) {
        Err(Errno::NOSYS) => part_by_part(root, path),
        opened => Ok(opened?),
    }
}

fn part_by_part(root: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    let mut here = openat(root, ".", FOLDER, Mode::empty())?;
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => here = child(&here, name)?,
            Component::RootDir | Component::ParentDir | Component::Prefix(_) => return Err(Errno::XDEV.into()),
        }
    }
    Ok(here)
}

/// Opens the folder `path`, seen from `root` as from `/`: links are followed within it, those of `/proc` that jump to another
/// process's files are not.
pub fn folder_in_root(root: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match openat2(root, path, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS | ResolveFlags::IN_ROOT) {
        Err(Errno::NOSYS) => link_by_link(root, path),
        opened => Ok(opened?),
    }
}

fn link_by_link(root: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // The folders from the root down to here: `..` leads to one of them, whatever the file system says now.
    let mut way = vec![root.try_clone_to_owned()?];
    let mut rest: Vec<OsString> = parts(path);
    let mut links = 0;
    while let Some(name) = rest.pop() {
        if name == ".." {
            way.truncate(way.len().saturating_sub(1).max(1));
            continue;
        }
        let Some(here) = way.last() else { return Err(Errno::NOENT.into()) };
        let next = openat(here, &name, flags, Mode::empty())?;
        match FileType::from_raw_mode(fstat(&next)?.st_mode) {
            FileType::Directory => way.push(next),
            FileType::Symlink => {
                links += 1;
                if links > MOST_LINKS || fstatfs(here)?.f_type == PROC_SUPER_MAGIC {
                    return Err(Errno::LOOP.into());
                }
                let target = PathBuf::from(OsString::from_vec(readlinkat(here, &name, Vec::new())?.into_bytes()));
                if target.is_absolute() {
                    way.truncate(1);
                }
                rest.extend(parts(&target));
            }
            FileType::RegularFile
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => return Err(Errno::NOTDIR.into()),
        }
    }
    way.pop().ok_or_else(|| Errno::NOENT.into())
}

/// The parts of a path, the last one first.
fn parts(path: &Path) -> Vec<OsString> {
    let parts = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::{FOLDER, folder, folder_in_root, link_by_link, part_by_part};
    use rustix::fs::Mode;
    use std::os::fd::AsFd;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    fn same(one: impl AsFd, path: &Path) -> bool {
        let (one, other) = (rustix::fs::fstat(one).unwrap(), rustix::fs::stat(path).unwrap());
        (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
    }

    #[test]
    fn both_ways_open_folders_and_refuse_links() {
        let dir = std::env::temp_dir().join(format!("beneath-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("a/b")).unwrap();
        symlink("a", dir.join("link")).unwrap();
        let root = rustix::fs::open(&dir, FOLDER, Mode::empty()).unwrap();
        for path in ["", "a", "a/b"] {
            assert!(same(folder(root.as_fd(), Path::new(path)).unwrap(), &dir.join(path)), "{path}");
            assert!(same(part_by_part(root.as_fd(), Path::new(path)).unwrap(), &dir.join(path)), "{path}");
        }
        for path in ["link", "link/b", "..", "a/../..", "nothing", "/"] {
            assert!(folder(root.as_fd(), Path::new(path)).is_err(), "{path}");
            assert!(part_by_part(root.as_fd(), Path::new(path)).is_err(), "{path}");
        }
        // Links within the root lead where they lead, and above it is the root.
        symlink("/a/b", dir.join("absolute")).unwrap();
        symlink("../../..", dir.join("a/up")).unwrap();
        symlink("circle", dir.join("circle")).unwrap();
        for (path, leads) in [("link/b", "a/b"), ("absolute", "a/b"), ("a/up", ""), ("a/up/a/b", "a/b"), ("../../a", "a")] {
            assert!(same(folder_in_root(root.as_fd(), Path::new(path)).unwrap(), &dir.join(leads)), "{path}");
            assert!(same(link_by_link(root.as_fd(), Path::new(path)).unwrap(), &dir.join(leads)), "{path}");
        }
        for path in ["circle", "nothing/b"] {
            assert!(folder_in_root(root.as_fd(), Path::new(path)).is_err(), "{path}");
            assert!(link_by_link(root.as_fd(), Path::new(path)).is_err(), "{path}");
        }
        let real = rustix::fs::open("/", FOLDER, Mode::empty()).unwrap();
        for magic in ["proc/self/root", "proc/self/cwd", "proc/self/root/etc"] {
            assert!(folder_in_root(real.as_fd(), Path::new(magic)).is_err(), "{magic}");
            assert!(link_by_link(real.as_fd(), Path::new(magic)).is_err(), "{magic}");
        }
        std::fs::remove_dir_all(dir).unwrap();
    }
}
