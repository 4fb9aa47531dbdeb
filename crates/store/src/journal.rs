use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::fd::OwnedFd;

use jiff::Timestamp;
use rustix::fs::{self, Mode, OFlags};
use rustix::io::Errno;
use serde_json::Value;

use crate::{Home, Identity, StoreError, folder};

/// What is recorded of one session, read as it grows: refusals and what passed, in the order of time.
#[derive(Debug)]
pub struct Journal {
    folder: OwnedFd,
    home: Home,
    identity: Identity,
    refused: Reader,
    passed: Reader,
    later: Reader,
}

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When it was; the beginning of time for a line that says nothing of it.
    pub time: Timestamp,
    /// Whether it passed.
    pub passed: bool,
    /// All that was recorded: the fields of [`crate::Record`] or [`crate::Passed`]. Every text in it was escaped.
    pub value: Value,
}

/// A file that grows, is put aside when it is full, and begins anew.
#[derive(Debug, Default)]
struct Reader {
    file: Option<File>,
    inode: u64,
    /// The beginning of a line whose end is not written yet.
    rest: Vec<u8>,
}

impl Journal {
    /// Most bytes read at once; the rest comes with the next call.
    const AT_ONCE: u64 = 32 * 1024 * 1024;

    /// The records of `identity`, which may have ended.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when nothing was ever recorded and no such session lives; else what the system refused.
    pub fn open(home: Home, identity: Identity) -> Result<Self, StoreError> {
        let unknown = || StoreError::Unknown { identity: identity.to_string() };
        let gone =
            |error: &StoreError| matches!(error, StoreError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound);
        let lives = home.sessions()?.iter().any(|session| session.identity == identity);
        let audit = || folder::open_private(&folder::open_own(home.path())?, "audit", &home.path().join("audit"));
        let folder = match (lives, std::fs::symlink_metadata(home.path().join("audit"))) {
            (false, Err(_)) => return Err(unknown()),
            (true, Err(_)) | (true | false, Ok(_)) => audit().map_err(|error| if gone(&error) { unknown() } else { error })?,
        };
        let mut journal =
            Self { folder, home, identity, refused: Reader::default(), passed: Reader::default(), later: Reader::default() };
        let known = lives || journal.first()?;
        if known { Ok(journal) } else { Err(StoreError::Unknown { identity: journal.identity.to_string() }) }
    }

    /// What was recorded since the last call, by time. What was put aside before the first call is part of it.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn news(&mut self) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        let name = |which: &str| format!("{}{which}.jsonl", self.identity);
        let (refused, passed, older, later) = (name(""), name(".traffic"), name(".traffic.older"), name(".traffic.latest"));
        if self.later.file.is_none() {
            Reader::default().read(self, &older, true, &mut entries)?;
        }
        let mut readers = [&mut self.refused, &mut self.passed, &mut self.later].map(std::mem::take);
        let read = [&refused, &passed, &later].into_iter().zip(&mut readers);
        let read = read.map(|(name, reader)| reader.read(self, name, *name != refused, &mut entries));
        let read = read.collect::<Result<(), _>>();
        [self.refused, self.passed, self.later] = readers;
        read?;
        entries.sort_by_key(|entry| entry.time);
        Ok(entries)
    }

    /// Whether there is any file at all.
    fn first(&mut self) -> Result<bool, StoreError> {
        for name in [format!("{}.jsonl", self.identity), format!("{}.traffic.jsonl", self.identity)] {
            if self.open_file(&name)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn open_file(&self, name: &str) -> Result<Option<File>, StoreError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match fs::openat(&self.folder, name, flags, Mode::empty()) {
            Ok(file) => Ok(Some(File::from(file))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(StoreError::io("opening", &self.home.path().join("audit").join(name), error)),
        }
    }
}

impl Reader {
    fn read(&mut self, journal: &Journal, name: &str, passed: bool, entries: &mut Vec<Entry>) -> Result<(), StoreError> {
        self.drain(journal, name, passed, entries)?;
        // Put aside meanwhile? Then what is left of the old one was read above, and the new one begins.
        let Some(newer) = journal.open_file(name)? else { return Ok(()) };
        let failed = |error: Errno| StoreError::io("reading", &journal.home.path().join("audit").join(name), error);
        let inode = fs::fstat(&newer).map_err(failed)?.st_ino;
        if self.file.is_none() || inode != self.inode {
            *self = Self { file: Some(newer), inode, rest: Vec::new() };
            self.drain(journal, name, passed, entries)?;
        }
        Ok(())
    }

    fn drain(&mut self, journal: &Journal, name: &str, passed: bool, entries: &mut Vec<Entry>) -> Result<(), StoreError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let failed = |source| StoreError::Io { operation: "reading", path: journal.home.path().join("audit").join(name), source };
        // A part of a line may be cut off again by its writer: then we are behind its end.
        let (at, length) = (file.stream_position().map_err(failed)?, file.metadata().map_err(failed)?.len());
        if at > length {
            file.seek(SeekFrom::Start(length)).map_err(failed)?;
            self.rest.clear();
        }
        file.take(Journal::AT_ONCE).read_to_end(&mut self.rest).map_err(failed)?;
        let whole = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let unfinished = self.rest.split_off(whole);
        entries.extend(self.rest.split(|byte| *byte == b'\n').filter_map(|line| entry(line, passed)));
        self.rest = unfinished;
        Ok(())
    }
}

fn entry(line: &[u8], passed: bool) -> Option<Entry> {
    let value: Value = serde_json::from_slice(line).ok()?;
    let time = value.get("time").and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH);
    Some(Entry { time, passed, value })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use jiff::Timestamp;

    use super::Journal;
    use crate::{Audit, Home, Identity, Passed, Record, StoreError, Traffic};

    fn passed(second: i64) -> Passed {
        Passed {
            time: Timestamp::from_second(second).unwrap(),
            method: "GET".to_owned(),
            to: "https://a".to_owned(),
            path: None,
            status: Some(200),
            sent: 0,
            received: 0,
            millis: 1,
            failed: None,
        }
    }

    fn refused(second: i64) -> Record {
        Record {
            time: Timestamp::from_second(second).unwrap(),
            code: "egress.host",
            destination: "proxy".to_owned(),
            kind: "http",
            asked: "GET b".to_owned(),
        }
    }

    #[test]
    fn both_kinds_come_in_the_order_of_time_and_only_once() {
        let folder = tempfile::tempdir().unwrap();
        let (home, identity) = (Home::new(folder.path()), Identity::parse("a-1").unwrap());
        assert!(matches!(Journal::open(home.clone(), identity.clone()), Err(StoreError::Unknown { .. })));
        let (audit, traffic) =
            (Audit::new(home.clone(), identity.clone()), Traffic::begin(home.clone(), identity.clone()).unwrap());
        audit.append(&refused(2)).unwrap();
        traffic.record(&passed(1));
        traffic.record(&passed(3));
        traffic.flush().unwrap();
        let mut journal = Journal::open(home, identity).unwrap();
        let seconds = |journal: &mut Journal| -> Vec<(i64, bool)> {
            journal.news().unwrap().iter().map(|entry| (entry.time.as_second(), entry.passed)).collect()
        };
        assert_eq!(seconds(&mut journal), [(1, true), (2, false), (3, true)]);
        assert_eq!(seconds(&mut journal), []);
        traffic.record(&passed(4));
        traffic.flush().unwrap();
        let mut half = std::fs::OpenOptions::new().append(true).open(audit.path()).unwrap();
        half.write_all(b"{\"code\":").unwrap();
        assert_eq!(seconds(&mut journal), [(4, true)]);
        half.write_all(b"\"x\"}\n").unwrap();
        assert_eq!(seconds(&mut journal), [(0, false)]);
    }

    #[test]
    fn a_file_that_was_put_aside_is_read_to_its_end_and_the_new_one_from_its_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let (home, identity) = (Home::new(folder.path()), Identity::parse("a-1").unwrap());
        let audit = folder.path().join("audit");
        let (latest, older) = (audit.join("a-1.traffic.latest.jsonl"), audit.join("a-1.traffic.older.jsonl"));
        let line = |second: i64| serde_json::to_string(&passed(second)).unwrap() + "\n";
        let traffic = Traffic::begin(home.clone(), identity.clone()).unwrap();
        traffic.record(&passed(1));
        traffic.flush().unwrap();
        std::fs::File::create(&latest).unwrap().write_all(line(2).as_bytes()).unwrap();
        let mut journal = Journal::open(home, identity).unwrap();
        assert_eq!(journal.news().unwrap().len(), 2);
        std::fs::OpenOptions::new().append(true).open(&latest).unwrap().write_all(line(3).as_bytes()).unwrap();
        std::fs::rename(&latest, &older).unwrap();
        std::fs::File::create(&latest).unwrap().write_all(line(4).as_bytes()).unwrap();
        let seconds: Vec<_> = journal.news().unwrap().iter().map(|entry| entry.time.as_second()).collect();
        assert_eq!(seconds, [3, 4]);
    }
}
