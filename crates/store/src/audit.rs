use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Mutex;

use jiff::Timestamp;
use rustix::fs::{self, Mode, OFlags};
use serde::Serialize;

use crate::{Home, Identity, StoreError, escape, folder};

/// What was refused in one session: `audit/<identity>.jsonl`, appended to, one `write(2)` per record, so that records of
/// several writers never mix and a crash leaves whole lines. The file is made with the first record.
#[derive(Debug)]
pub struct Audit {
    home: Home,
    identity: Identity,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    file: Option<File>,
    records: u64,
    unrecorded: u64,
    full: bool,
}

/// One thing that was not let through. Every text is escaped when it is written; none may hold a secret value: of a
/// request only its method and host are told, never path, query, header or body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Record {
    /// When, in UTC.
    pub time: Timestamp,
    /// The stable code: `egress.closed`.
    pub code: &'static str,
    /// Where it wanted to go: `203.0.113.7:443`, `proxy`.
    pub destination: String,
    /// What it was: `tls`, `http`, `dns`, `unknown`, `silent`.
    pub kind: &'static str,
    /// What it asked for: `CONNECT example.com:443`, `A example.com`; empty when it said nothing that can be told.
    pub asked: String,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is in the file.
    Written,
    /// The file has reached [`Audit::MAX`]: the record is counted alone.
    Full,
}

/// Why a record was not kept.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The file cannot be had.
    #[error("recording a refusal: {0}")]
    Store(#[from] StoreError),
    /// The system refused the write, or the record could not be written as JSON.
    #[error("recording a refusal in {}: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

impl Audit {
    /// Most bytes of one session's file: an agent that is refused in a loop must not fill the disk.
    pub const MAX: u64 = 8 * 1024 * 1024;
    /// Longest text of one field, in characters.
    const FIELD_MAX: usize = 300;

    /// The log of `identity`; touches nothing yet.
    pub fn new(home: Home, identity: Identity) -> Self {
        Self { home, identity, state: Mutex::new(State::default()) }
    }

    /// Where the records are.
    pub fn path(&self) -> PathBuf {
        self.home.audit_path(&self.identity)
    }

    /// How many records there were, those included that the bound left out.
    pub fn count(&self) -> u64 {
        self.lock().records
    }

    /// How many of [`Audit::count`] are not in the file, because it was full or could not be written: recording stopped, and
    /// whoever reads the file has to be told.
    pub fn unrecorded(&self) -> u64 {
        self.lock().unrecorded
    }

    /// Appends one record. At [`Audit::MAX`] a last line says that the log is full; this record and later ones are only
    /// counted, and [`Appended::Full`] says so.
    ///
    /// # Errors
    /// When it could not be written; it is counted all the same, and no part of it stays in the file.
    pub fn append(&self, record: &Record) -> Result<Appended, AuditError> {
        let mut state = self.lock();
        state.records += 1;
        let appended = if state.full { Ok(Appended::Full) } else { self.append_to(&mut state, record) };
        if !matches!(appended, Ok(Appended::Written)) {
            state.unrecorded += 1;
        }
        appended
    }

    fn append_to(&self, state: &mut State, record: &Record) -> Result<Appended, AuditError> {
        let path = self.path();
        let mut line = serde_json::to_vec(&bounded(record))
            .map_err(|error| AuditError::Write { path: path.clone(), source: io::Error::other(error) })?;
        let file = match &mut state.file {
            Some(file) => file,
            none => none.insert(self.open()?),
        };
        let length = file.metadata().map_err(|source| AuditError::Write { path: path.clone(), source })?.len();
        let mut appended = Appended::Written;
        if length + line.len() as u64 > Self::MAX {
            state.full = true;
            appended = Appended::Full;
            line = br#"{"code":"audit.full","hint":"later refusals of this session are counted but not written"}"#.to_vec();
        }
        line.push(b'\n');
        write_whole(file, length, &line).map_err(|source| AuditError::Write { path, source })?;
        Ok(appended)
    }

    fn open(&self) -> Result<File, StoreError> {
        let home = folder::open_own(self.home.path())?;
        let folder = folder::open_private(&home, "audit", &self.home.path().join("audit"))?;
        let path = self.path();
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let name = format!("{}.jsonl", self.identity);
        let file = fs::openat(&folder, &name, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|error| StoreError::io("opening", &path, error))?;
        let stat = fs::fstat(&file).map_err(|error| StoreError::io("reading", &path, error))?;
        if !fs::FileType::from_raw_mode(stat.st_mode).is_file() || stat.st_uid != rustix::process::geteuid().as_raw() {
            return Err(StoreError::Unsafe { path, what: "no file of yours".to_owned() });
        }
        Ok(File::from(file))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Where lines are appended; a trait for the sake of a disk that fills up in the middle of one.
trait Lines {
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

/// Appends a line whole or not at all. `before` is the length without it: a part that was written is cut off again, unless
/// another writer has appended behind it.
fn write_whole(lines: &mut impl Lines, before: u64, line: &[u8]) -> io::Result<()> {
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

fn bounded(record: &Record) -> Record {
    let short = |text: &str| escape(&text.chars().take(Audit::FIELD_MAX).collect::<String>());
    Record { destination: short(&record.destination), asked: short(&record.asked), ..record.clone() }
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
