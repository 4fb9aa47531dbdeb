use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jiff::Timestamp;
use rustix::fs;
use serde::Serialize;

use crate::record_file::{self, Note};
use crate::{AuditError, Home, Identity, StoreError};

/// What was let through in one session, in three files of at most [`Traffic::MAX`] bytes each: `audit/<identity>.traffic.jsonl`
/// is its beginning and stays; `.traffic.latest.jsonl` is written to when that is full, and becomes `.traffic.older.jsonl` when it is
/// full itself. What was older is dropped then: the first line of the new file says how many records that were.
/// Threat: an agent that makes requests without end until the record of its first ones is gone.
///
/// Records are kept in memory and written together: [`Traffic::flush`] is called often. When they cannot be written any more
/// [`Traffic::is_broken`] says so, and whoever lets things through stops: what cannot be recorded does not pass.
#[derive(Debug)]
pub struct Traffic {
    home: Home,
    identity: Identity,
    waiting: Mutex<Vec<u8>>,
    files: Mutex<Files>,
    broken: AtomicBool,
    dropped: AtomicU64,
}

#[derive(Debug)]
struct Files {
    place: Place,
    open: Option<Open>,
    /// How long the first file was when this session began: what an earlier one of that name left does not count.
    began: u64,
    /// Records that were dropped and no line tells of yet.
    untold: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    First,
    Latest,
}

#[derive(Debug)]
struct Open {
    file: File,
    length: u64,
    /// Where its bound begins to count.
    begin: u64,
}

/// One request, or one connection that is passed on unopened, at its end. No text may hold a secret value: never query,
/// header or body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Passed {
    /// When it began, in UTC.
    pub time: Timestamp,
    /// `GET`; `TLS` for a connection that is passed on unopened.
    pub method: String,
    /// `https://api.example.org`, with the port where it is not the usual one.
    pub to: String,
    /// The path, where the bottle's `egress.log` asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The answer's status; `None` when there was no answer.
    pub status: Option<u16>,
    /// Bytes of the request's body.
    pub sent: u64,
    /// Bytes of the answer's body.
    pub received: u64,
    /// From the request's head to the answer's last byte, in milliseconds.
    pub millis: u64,
    /// What became of it, where that was not simply an answer: `upstream.refused`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<&'static str>,
}

impl Traffic {
    /// Bytes of one file.
    pub const MAX: u64 = 8 * 1024 * 1024;
    /// Records are written at the latest when they fill this many bytes.
    const WAITING: usize = 32 * 1024;

    /// Begins the record of a session of `identity`. Threat: requests that pass before the first of them turns out to be
    /// unrecordable. So there is no such value before its file was written to.
    ///
    /// # Errors
    /// When the file cannot be had or written.
    pub fn begin(home: Home, identity: Identity) -> Result<Self, AuditError> {
        let began = record_file::begin(&home, &Place::First.name(&identity))?;
        let files = Mutex::new(Files { place: Place::First, open: None, began, untold: 0 });
        let (waiting, broken, dropped) = (Mutex::default(), AtomicBool::new(false), AtomicU64::new(0));
        Ok(Self { home, identity, waiting, files, broken, dropped })
    }

    /// Where the records are: the first of them.
    pub fn path(&self) -> PathBuf {
        self.home.traffic_path(&self.identity)
    }

    /// How many records were dropped to make room for later ones.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Takes one record. Texts are escaped and cut.
    pub fn record(&self, passed: &Passed) {
        let short = |text: &str| crate::escape(&text.chars().take(300).collect::<String>());
        let passed = Passed {
            method: short(&passed.method),
            to: short(&passed.to),
            path: passed.path.as_deref().map(short),
            ..passed.clone()
        };
        let Ok(line) = serde_json::to_vec(&passed) else { return self.broken.store(true, Ordering::Release) };
        let full = {
            let mut waiting = lock(&self.waiting);
            waiting.extend_from_slice(&line);
            waiting.push(b'\n');
            waiting.len() >= Self::WAITING
        };
        if full {
            // What it could not write is told by `is_broken`.
            let _ = self.flush();
        }
    }

    /// Whether records could not be written the last time.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    /// Writes what waits, and tries again what could not be written.
    ///
    /// # Errors
    /// When the system refuses; the records go on waiting.
    pub fn flush(&self) -> Result<(), AuditError> {
        let mut files = lock(&self.files);
        let lines = std::mem::take(&mut *lock(&self.waiting));
        if lines.is_empty() {
            return Ok(());
        }
        let written = self.write(&mut files, &lines);
        self.broken.store(written.is_err(), Ordering::Release);
        if written.is_err() {
            files.open = None;
            let mut waiting = lock(&self.waiting);
            let newer = std::mem::replace(&mut *waiting, lines);
            waiting.extend_from_slice(&newer);
        }
        written
    }

    fn write(&self, files: &mut Files, lines: &[u8]) -> Result<(), AuditError> {
        loop {
            let mut open = match files.open.take() {
                Some(open) => open,
                None => self.open(files)?,
            };
            if open.has_room(lines.len()) {
                let path = || self.home.record_path(&files.place.name(&self.identity));
                record_file::append(&mut open.file, open.length, lines)
                    .map_err(|source| AuditError::Write { path: path(), source })?;
                open.length += lines.len() as u64;
                files.open = Some(open);
                return Ok(());
            }
            match files.place {
                Place::First => files.place = Place::Latest,
                Place::Latest => self.put_aside(files)?,
            }
        }
    }

    /// The file to write to. Where records were dropped to make room for it, its first line says how many.
    fn open(&self, files: &mut Files) -> Result<Open, AuditError> {
        let name = files.place.name(&self.identity);
        let (mut file, length) = record_file::open(&self.home, &name)?;
        if files.untold == 0 {
            let begin = if files.place == Place::First { files.began } else { 0 };
            return Ok(Open { file, length, begin });
        }
        let line = Note::dropped(files.untold).line();
        record_file::append(&mut file, length, &line)
            .map_err(|source| AuditError::Write { path: self.home.record_path(&name), source })?;
        files.untold = 0;
        let length = length + line.len() as u64;
        Ok(Open { file, length, begin: length })
    }

    /// The latest file becomes the older one; what was the older one is counted and goes.
    fn put_aside(&self, files: &mut Files) -> Result<(), AuditError> {
        let folder = record_file::folder(&self.home)?;
        let (latest, older) = (Place::Latest.name(&self.identity), format!("{}.traffic.older.jsonl", self.identity));
        let (records, before) = self.count(&older)?;
        fs::renameat(&folder, &latest, &folder, &older)
            .map_err(|error| StoreError::io("renaming", &self.home.record_path(&latest), error))?;
        files.untold += records + before;
        self.dropped.fetch_add(records, Ordering::Relaxed);
        Ok(())
    }

    /// How many records a file holds, and how many were dropped before as lines in it say.
    fn count(&self, name: &str) -> Result<(u64, u64), StoreError> {
        let file = match record_file::read(&self.home, name) {
            Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => return Ok((0, 0)),
            file => file?,
        };
        let (mut records, mut before) = (0, 0);
        for line in BufReader::new(file).split(b'\n') {
            let line =
                line.map_err(|source| StoreError::Io { operation: "reading", path: self.home.record_path(name), source })?;
            match Note::count_in(&line) {
                None => records += 1,
                Some(count) => before += count,
            }
        }
        Ok((records, before))
    }
}

impl Place {
    fn name(self, identity: &Identity) -> String {
        match self {
            Self::First => format!("{identity}.traffic.jsonl"),
            Self::Latest => format!("{identity}.traffic.latest.jsonl"),
        }
    }
}

impl Open {
    /// Something always fits into a file that has nothing of ours yet.
    fn has_room(&self, bytes: usize) -> bool {
        let taken = self.length.saturating_sub(self.begin);
        taken == 0 || taken + bytes as u64 <= Traffic::MAX
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        // Nobody is left to be told.
        let _ = self.flush();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
#[path = "traffic_tests.rs"]
mod tests;
