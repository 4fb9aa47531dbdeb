use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::Stat;
use tar::EntryType;

use super::read::{HostMember, Place, Receiver};
use super::stream::{ContentError, Meta, TarStream};
use super::{Census, Source, Tree, TreeError};

pub(super) fn scan(tree: &Tree) -> Result<Census, TreeError> {
    let mut scan = Scan::default();
    for member in tree.members() {
        match &member.source {
            Source::Host { from, uncopyable, exclude } => {
                HostMember { from, uncopyable: *uncopyable, exclude }.walk(&mut scan)?
            }
            Source::File { content, .. } => scan.census.file(content.len() as u64),
            Source::Folder { .. } => scan.census.folders += 1,
            Source::Link { .. } => scan.census.links += 1,
        }
    }
    Ok(scan.census)
}

pub(super) fn pack(tree: &Tree, out: &mut dyn io::Write) -> Result<Census, TreeError> {
    let mut pack = Pack { stream: TarStream::new(out), census: Census::default(), name: Vec::new(), member: 0 };
    for (number, member) in tree.members().iter().enumerate() {
        pack.begin(number);
        match &member.source {
            Source::Host { from, uncopyable, exclude } => {
                HostMember { from, uncopyable: *uncopyable, exclude }.walk(&mut pack)?
            }
            Source::File { content, mode } => pack.bytes(content, *mode)?,
            Source::Folder { mode } => pack.empty_folder(*mode)?,
            Source::Link { target } => pack.own_link(target)?,
        }
    }
    let census = pack.census;
    pack.stream.finish().map_err(TreeError::Stream)?;
    Ok(census)
}

impl Census {
    fn file(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// Counts, and reads no content.
#[derive(Default)]
struct Scan {
    census: Census,
}

impl Receiver for Scan {
    fn folder(&mut self, _at: &Path, _stat: &Stat) -> Result<(), TreeError> {
        self.census.folders += 1;
        Ok(())
    }

    fn file(&mut self, _at: &Path, place: &Place<'_>) -> Result<(), TreeError> {
        self.census.file(size(&place.look()?));
        Ok(())
    }

    fn link(&mut self, _at: &Path, _target: &Path, _stat: &Stat) -> Result<(), TreeError> {
        self.census.links += 1;
        Ok(())
    }

    fn left_out(&mut self, at: &Path) {
        self.census.left_out.add(at);
    }
}

/// Writes what is found as tar entries below the member's number.
struct Pack<'a> {
    stream: TarStream<'a>,
    census: Census,
    name: Vec<u8>,
    member: usize,
}

impl Pack<'_> {
    fn begin(&mut self, number: usize) {
        self.name.clear();
        self.name.extend_from_slice(number.to_string().as_bytes());
        self.member = self.name.len();
    }

    fn bytes(&mut self, content: &[u8], mode: u32) -> Result<(), TreeError> {
        let size = content.len() as u64;
        self.entry(Path::new(""), Path::new(""), &Meta { kind: EntryType::Regular, mode, mtime: now(), size })?;
        self.census.file(size);
        self.stream.content(content).map_err(TreeError::Stream)
    }

    fn empty_folder(&mut self, mode: u32) -> Result<(), TreeError> {
        self.census.folders += 1;
        self.entry(Path::new(""), Path::new(""), &Meta { kind: EntryType::Directory, mode, mtime: now(), size: 0 })
    }

    fn own_link(&mut self, target: &Path) -> Result<(), TreeError> {
        self.census.links += 1;
        self.entry(Path::new(""), target, &Meta { kind: EntryType::Symlink, mode: 0o777, mtime: now(), size: 0 })
    }

    fn entry(&mut self, at: &Path, target: &Path, meta: &Meta) -> Result<(), TreeError> {
        self.name.truncate(self.member);
        if at != Path::new("") {
            self.name.push(b'/');
            self.name.extend_from_slice(OsStr::as_bytes(at.as_os_str()));
        }
        self.stream.header(&self.name, target, meta).map_err(TreeError::Stream)
    }
}

impl Receiver for Pack<'_> {
    fn folder(&mut self, at: &Path, stat: &Stat) -> Result<(), TreeError> {
        self.census.folders += 1;
        self.entry(at, Path::new(""), &meta(EntryType::Directory, stat, 0))
    }

    fn file(&mut self, at: &Path, place: &Place<'_>) -> Result<(), TreeError> {
        let (file, stat) = place.open()?;
        let size = size(&stat);
        self.entry(at, Path::new(""), &meta(EntryType::Regular, &stat, size))?;
        self.census.file(size);
        self.stream.content_of(file.as_fd(), size).map_err(|error| match error {
            ContentError::Read(error) => place.failed(error),
            ContentError::Changed => place.changed(),
            ContentError::Stream(error) => TreeError::Stream(error),
        })
    }

    fn link(&mut self, at: &Path, target: &Path, stat: &Stat) -> Result<(), TreeError> {
        self.census.links += 1;
        self.entry(at, target, &meta(EntryType::Symlink, stat, 0))
    }

    fn left_out(&mut self, at: &Path) {
        self.census.left_out.add(at);
    }
}

fn meta(kind: EntryType, stat: &Stat, size: u64) -> Meta {
    Meta { kind, mode: stat.st_mode, mtime: stat.st_mtime, size }
}

fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(0)
}
