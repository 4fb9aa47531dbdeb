//! The files in which records are kept: lines of JSON in `audit/`, of the person's own, never reached through a link.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;

use jiff::Timestamp;
use rustix::fs::{self, Mode, OFlags};
use serde::{Deserialize, Serialize};

use crate::{AuditError, Home, StoreError, folder};

/// A line that is no record, but says something of the records.
#[derive(Debug, Serialize)]
pub(crate) struct Note {
    code: &'static str,
    time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    hint: Cow<'static, str>,
}

/// As much of a line as tells whether it is a note.
#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    count: u64,
}

impl Note {
    /// What a note begins with; a record begins with its time.
    const BEGINS: &'static [u8] = b"{\"code\":";

    /// No more is written.
    pub(crate) fn full() -> Self {
        Self::new("audit.full", None, "later refusals of this session are counted but not written")
    }

    /// So many records were dropped.
    pub(crate) fn dropped(count: u64) -> Self {
        Self::new("traffic.dropped", Some(count), "so many earlier records were dropped to make room")
    }

    fn began() -> Self {
        Self::new("session.began", None, "what comes before is of an earlier session of the same name")
    }

    /// A note of something that happened beside the records; one line of text.
    pub(crate) fn said(code: &'static str, text: String) -> Self {
        Self { hint: Cow::Owned(text), ..Self::new(code, None, "") }
    }

    fn new(code: &'static str, count: Option<u64>, hint: &'static str) -> Self {
        Self { code, time: Timestamp::now(), count, hint: Cow::Borrowed(hint) }
    }

    /// The note as it is written.
    pub(crate) fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }

    /// How many records a note says were dropped; `None` for a line that is a record.
    pub(crate) fn count_in(line: &[u8]) -> Option<u64> {
        line.starts_with(Self::BEGINS).then(|| serde_json::from_slice(line).map_or(0, |told: Told| told.count))
    }
}

/// Opens a file for a new session and proves that it can be written. A line is written either way: it stays where an earlier session
/// of that name left something, and goes again where there was nothing. Returns how long it is now.
///
/// # Errors
/// When it cannot be had, or not be written.
pub(crate) fn begin(home: &Home, name: &str) -> Result<u64, AuditError> {
    let (mut file, before) = open(home, name)?;
    let failed = |source| AuditError::Write { path: home.record_path(name), source };
    let line = Note::began().line();
    append(&mut file, before, &line).map_err(failed)?;
    if before == 0 {
        file.set_len(0).map_err(failed)?;
        return Ok(0);
    }
    Ok(before + line.len() as u64)
}

/// Opens a file to append to it, making it (0600) when missing, and says how long it is.
pub(crate) fn open(home: &Home, name: &str) -> Result<(File, u64), StoreError> {
    let path = home.record_path(name);
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::openat(folder(home)?, name, flags, Mode::RUSR | Mode::WUSR)
        .map_err(|error| StoreError::io("opening", &path, error))?;
    let stat = fs::fstat(&file).map_err(|error| StoreError::io("reading", &path, error))?;
    if !fs::FileType::from_raw_mode(stat.st_mode).is_file() || stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(StoreError::Unsafe { path, what: "no file of yours".to_owned() });
    }
    Ok((File::from(file), u64::try_from(stat.st_size).unwrap_or(0)))
}

/// Opens a file to read it.
pub(crate) fn read(home: &Home, name: &str) -> Result<File, StoreError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::openat(folder(home)?, name, flags, Mode::empty());
    Ok(File::from(file.map_err(|error| StoreError::io("opening", &home.record_path(name), error))?))
}

/// The folder of all of them, made when missing.
pub(crate) fn folder(home: &Home) -> Result<OwnedFd, StoreError> {
    let own = folder::open_own(home.path())?;
    folder::open_private(&own, "audit", &home.path().join("audit"))
}

/// Where lines are appended; a trait for the sake of a disk that fills up in the middle of one.
pub(crate) trait Lines {
    fn write_once(&mut self, line: &[u8]) -> io::Result<usize>;
    fn length(&self) -> io::Result<u64>;
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Lines for File {
    fn write_once(&mut self, line: &[u8]) -> io::Result<usize> {
        self.write(line)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

/// Appends lines whole or not at all. `before` is the length without it: a part that was written is cut off again, unless
/// another writer has appended behind it.
pub(crate) fn append(lines: &mut impl Lines, before: u64, line: &[u8]) -> io::Result<()> {
    let written = loop {
        match lines.write_once(line) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            written => break written?,
        }
    };
    if written == line.len() {
        return Ok(());
    }
    if lines.length()? == before + written as u64 {
        lines.cut(before)?;
    }
    Err(io::Error::new(io::ErrorKind::StorageFull, "only a part of the line could be written"))
}

#[cfg(test)]
mod tests {
    use super::{Lines, append};

    /// A disk with so much room; another writer may come in between.
    struct Disk {
        content: Vec<u8>,
        room: usize,
        other: &'static [u8],
    }

    impl Lines for Disk {
        fn write_once(&mut self, line: &[u8]) -> std::io::Result<usize> {
            let fits = line.len().min(self.room - self.content.len());
            self.content.extend(&line[..fits]);
            self.content.extend(self.other);
            Ok(fits)
        }

        fn length(&self) -> std::io::Result<u64> {
            Ok(self.content.len() as u64)
        }

        fn cut(&mut self, length: u64) -> std::io::Result<()> {
            self.content.truncate(usize::try_from(length).unwrap());
            Ok(())
        }
    }

    #[test]
    fn a_line_that_the_disk_has_no_room_for_leaves_no_half() {
        let mut disk = Disk { content: b"one\n".to_vec(), room: 7, other: b"" };
        let error = append(&mut disk, 4, b"two two\n").unwrap_err();
        assert_eq!((error.kind(), &disk.content[..]), (std::io::ErrorKind::StorageFull, &b"one\n"[..]));
        append(&mut disk, 4, b"2\n").unwrap();
        assert_eq!(disk.content, b"one\n2\n");
    }

    #[test]
    fn what_another_writer_appended_is_not_cut_off() {
        let mut disk = Disk { content: b"one\n".to_vec(), room: 7, other: b"other\n" };
        assert!(append(&mut disk, 4, b"two two\n").is_err());
        assert_eq!(disk.content, b"one\ntwoother\n");
    }
}
