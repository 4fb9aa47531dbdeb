use std::io::Write as _;
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
    file: Option<std::fs::File>,
    written: u64,
    records: u64,
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
        source: std::io::Error,
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

    /// Appends one record. At [`Audit::MAX`] a last line says that the log is full; later records are only counted.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn append(&self, record: &Record) -> Result<(), AuditError> {
        let mut state = self.lock();
        state.records += 1;
        if state.full {
            return Ok(());
        }
        let path = self.path();
        let mut line = serde_json::to_vec(&bounded(record))
            .map_err(|error| AuditError::Write { path: path.clone(), source: std::io::Error::other(error) })?;
        if state.written + line.len() as u64 > Self::MAX {
            state.full = true;
            line = br#"{"code":"audit.full","hint":"later refusals of this session are counted but not written"}"#.to_vec();
        }
        line.push(b'\n');
        if state.file.is_none() {
            let (file, length) = self.open()?;
            state.file = Some(file);
            state.written = length;
        }
        if let Some(file) = &mut state.file {
            file.write_all(&line).map_err(|source| AuditError::Write { path, source })?;
        }
        state.written += line.len() as u64;
        Ok(())
    }

    fn open(&self) -> Result<(std::fs::File, u64), StoreError> {
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
        Ok((std::fs::File::from(file), u64::try_from(stat.st_size).unwrap_or(0)))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn bounded(record: &Record) -> Record {
    let short = |text: &str| escape(&text.chars().take(Audit::FIELD_MAX).collect::<String>());
    Record { destination: short(&record.destination), asked: short(&record.asked), ..record.clone() }
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
