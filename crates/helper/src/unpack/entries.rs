//! Tar entries to files, below the stage of their member.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, Timespec, Timestamps, fchmod, futimens, mkdirat, openat, symlinkat};

use super::Refused;
use super::place::Stage;
use crate::beneath;

/// How much of a file is moved at once.
const CHUNK: usize = 1 << 18;

/// How much is read ahead for headers and small files.
const HEADERS: usize = 1 << 16;

/// Unpacks the whole stream.
pub fn unpack(stream: &mut impl Read, stages: &[Stage]) -> Result<(), Refused> {
    let mut unpacker = Unpacker { stages, open: None, folders: Vec::new(), buffer: vec![0; CHUNK] };
    let whole = |error: io::Error| Refused { member: None, reason: error.to_string() };
    // Headers are small: many are read at once.
    let mut archive = tar::Archive::new(BufReader::with_capacity(HEADERS, stream));
    for entry in archive.entries().map_err(whole)? {
        unpacker.entry(&mut entry.map_err(whole)?)?;
    }
    unpacker.finish()
}

struct Unpacker<'a> {
    stages: &'a [Stage],
    /// The folder that the last entry lay in: most entries have the same one as their neighbour. Members may lie in different
    /// stages, so the same path can be two folders.
    open: Option<(usize, PathBuf, OwnedFd)>,
    /// Folders and their final modes; set last, because a folder may be closed even to writing.
    folders: Vec<(usize, PathBuf, Mode)>,
    buffer: Vec<u8>,
}

impl Unpacker<'_> {
    fn entry(&mut self, entry: &mut tar::Entry<'_, impl Read>) -> Result<(), Refused> {
        let path = entry.path().map_err(|error| Refused { member: None, reason: error.to_string() })?.into_owned();
        let number = path.iter().next().and_then(|part| part.to_str()).and_then(|part| part.parse::<usize>().ok());
        let Some((number, stage)) = number.and_then(|number| Some((number, self.stages.get(number)?))) else {
            return Err(Refused { member: None, reason: format!("unexpected entry {}", path.display()) });
        };
        let written = self.write(entry, number, stage, &path);
        written.map_err(|error| Refused { member: Some(number), reason: format!("{}: {error}", shown(&path)) })
    }

    fn write(&mut self, entry: &mut tar::Entry<'_, impl Read>, number: usize, stage: &Stage, path: &Path) -> io::Result<()> {
        let mode = Mode::from_raw_mode(entry.header().mode()? & 0o777);
        let (parent, name) = (path.parent().unwrap_or(Path::new("")), path.file_name().unwrap_or_default());
        if self.open.as_ref().is_none_or(|(member, open, _)| *member != number || open != parent) {
            self.open = Some((number, parent.to_owned(), beneath::folder(stage.folder(), parent)?));
        }
        let Some((_, _, folder)) = &self.open else { return Err(io::ErrorKind::NotFound.into()) };
        match entry.header().entry_type() {
            tar::EntryType::Directory => {
                mkdirat(folder, name, Mode::RWXU)?;
                self.folders.push((number, path.to_owned(), mode));
            }
            tar::EntryType::Regular => {
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                // Its final mode at once: nobody can look into the stage.
                let mut file = File::from(openat(folder, name, flags, mode)?);
                fill(&mut file, entry, &mut self.buffer)?;
                set_time(&file, entry.header().mtime()?)?;
            }
            tar::EntryType::Symlink => {
                let target = entry.link_name()?.ok_or(io::ErrorKind::InvalidData)?.into_owned();
                symlinkat(target.as_path(), folder, name)?;
            }
            _ => return Err(io::Error::other("no file, folder or link")),
        }
        Ok(())
    }

    /// Folders last and deepest first: their modes could close them to us.
    fn finish(mut self) -> Result<(), Refused> {
        self.open = None;
        for (number, path, mode) in self.folders.iter().rev() {
            let finish = || -> io::Result<()> {
                let stage = self.stages.get(*number).ok_or(io::ErrorKind::NotFound)?;
                let folder = beneath::folder(stage.folder(), path)?;
                Ok(fchmod(&folder, *mode)?)
            };
            finish().map_err(|error| Refused { member: Some(*number), reason: format!("{}: {error}", shown(path)) })?;
        }
        Ok(())
    }
}

fn fill(file: &mut File, content: &mut impl Read, buffer: &mut [u8]) -> io::Result<()> {
    loop {
        match content.read(buffer)? {
            0 => return Ok(()),
            got => file.write_all(buffer.get(..got).unwrap_or_default())?,
        }
    }
}

fn set_time(file: &File, seconds: u64) -> io::Result<()> {
    let time = Timespec { tv_sec: i64::try_from(seconds).unwrap_or(0), tv_nsec: 0 };
    Ok(futimens(file, &Timestamps { last_access: time, last_modification: time })?)
}

/// The entry's path below its member, for messages.
fn shown(path: &Path) -> String {
    let below: PathBuf = path.iter().skip(1).collect();
    below.to_string_lossy().chars().flat_map(char::escape_default).collect()
}
