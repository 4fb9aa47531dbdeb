//! Gives a file or folder of the bottle out, as a tar stream that the session must not trust.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat, statat};

use crate::beneath;
use crate::wire::{Bytes, FromExec, send_packet};

/// Deepest tree that is read: deeper ones serve no purpose but to exhaust descriptors.
const DEEPEST: usize = 512;

/// Runs in a child of the helper, to its end. `fds`: the exec channel, the stream.
pub fn run(from: &Bytes, fds: Vec<OwnedFd>) {
    let Ok([channel, stream]) = <[OwnedFd; 2]>::try_from(fds) else { return };
    let path = Path::new(OsStr::from_bytes(from));
    let message = match pack(path, stream) {
        Ok(()) => FromExec::Done,
        Err(error) => FromExec::failed(None, &error.to_string()),
    };
    let _ = send_packet(channel.as_fd(), &message, &[]);
}

fn pack(path: &Path, stream: OwnedFd) -> io::Result<()> {
    let mut packer = Packer { out: tar::Builder::new(BufWriter::with_capacity(1 << 18, File::from(stream))) };
    let root = rustix::fs::open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let below = path.strip_prefix("/").unwrap_or(path);
    let below = if below.as_os_str().is_empty() { Path::new(".") } else { below };
    let parent = below.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = beneath::folder_in_root(root.as_fd(), parent)?;
    let name = below.file_name().unwrap_or(OsStr::new("."));
    packer.entry(&parent, name, Path::new("0"), DEEPEST)?;
    packer.out.into_inner()?.flush()
}

struct Packer<W: Write> {
    out: tar::Builder<W>,
}

impl<W: Write> Packer<W> {
    fn entry(&mut self, parent: &OwnedFd, name: &OsStr, path: &Path, depth: usize) -> io::Result<()> {
        // Once, where it happened: a deep tree must not make a message that grows with every level.
        let at = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", shown(path)));
        let seen = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|error| at(error.into()))?;
        match FileType::from_raw_mode(seen.st_mode) {
            FileType::Directory => self.folder(parent, name, path, depth),
            FileType::RegularFile => self.file(parent, name, path).map_err(at),
            FileType::Symlink => {
                let target = readlinkat(parent, name, Vec::new()).map_err(|error| at(error.into()))?;
                let mut header = header(tar::EntryType::Symlink, &seen, 0);
                let target = PathBuf::from(OsStr::from_bytes(target.as_bytes()));
                self.out.append_link(&mut header, path, target).map_err(at)
            }
            // Devices, sockets and FIFOs say nothing outside the bottle.
            FileType::Fifo | FileType::Socket | FileType::CharacterDevice | FileType::BlockDevice | FileType::Unknown => Ok(()),
        }
    }

    fn folder(&mut self, parent: &OwnedFd, name: &OsStr, path: &Path, depth: usize) -> io::Result<()> {
        if depth == 0 {
            return Err(io::Error::other(format!("the tree is deeper than {DEEPEST} folders")));
        }
        let folder = beneath::child(parent, name).map_err(|error| io::Error::other(format!("{}: {error}", shown(path))))?;
        let mut head = header(tar::EntryType::Directory, &fstat(&folder)?, 0);
        self.out.append_data(&mut head, path, io::empty())?;
        let mut names = Vec::new();
        for entry in Dir::read_from(&folder)? {
            let name = OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        names.sort();
        names.iter().try_for_each(|name| self.entry(&folder, name, &path.join(name), depth - 1))
    }

    fn file(&mut self, parent: &OwnedFd, name: &OsStr, path: &Path) -> io::Result<()> {
        // Not blocking: it may have become a FIFO since it was looked at.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(parent, name, flags, Mode::empty())?;
        let seen = fstat(&file)?;
        if FileType::from_raw_mode(seen.st_mode) != FileType::RegularFile {
            return Ok(());
        }
        let size = seen.st_size.unsigned_abs();
        // A file that shrinks meanwhile is filled up with zeros: the entry must be as long as its header says.
        let content = File::from(file).take(size).chain(io::repeat(0)).take(size);
        self.out.append_data(&mut header(tar::EntryType::Regular, &seen, size), path, content)
    }
}

fn header(kind: tar::EntryType, seen: &Stat, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(seen.st_mode & 0o777);
    header.set_mtime(u64::try_from(seen.st_mtime).unwrap_or(0));
    header.set_size(size);
    header
}

fn shown(path: &Path) -> String {
    let below: PathBuf = path.iter().skip(1).collect();
    below.to_string_lossy().chars().flat_map(char::escape_default).collect()
}
