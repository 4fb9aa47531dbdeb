use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;

use jiff::Timestamp;
use serde::Serialize;
use shown::Shown;

use crate::record_file::{self, Note};
use crate::{Home, Identity, StoreError, escape};

/// What was refused in one session: `audit/<identity>.jsonl`, appended to, one `write(2)` per record, so that records of
/// several writers never mix and a crash leaves whole lines. The file is made by [`Audit::begin`], or with
/// the first record.
#[derive(Debug)]
pub struct Audit {
    home: Home,
    identity: Identity,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    file: Option<File>,
    /// How long the file was when this session began: what an earlier one of that name left does not count.
    began: u64,
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
    #[error("keeping the record: {0}")]
    Store(#[from] StoreError),
    /// The system refused the write, or the record could not be written as JSON.
    #[error("keeping the record in {}: {source}", Shown::path(.path))]
    Write {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

impl Audit {
    /// Most bytes of one session in its file: an agent that is refused in a loop must not fill the disk.
    pub const MAX: u64 = 8 * 1024 * 1024;
    /// Longest text of one field, in characters.
    const FIELD_MAX: usize = 300;

    /// The log of `identity`; touches nothing yet.
    pub fn new(home: Home, identity: Identity) -> Self {
        Self { home, identity, state: Mutex::new(State::default()) }
    }

    /// Begins the record of a new session: proves that its file can be written, and leaves what an earlier session of that name
    /// recorded, with a line between, not counting it against [`Audit::MAX`].
    ///
    /// # Errors
    /// When the file cannot be had or written.
    pub fn begin(&self) -> Result<(), AuditError> {
        self.lock().began = record_file::begin(&self.home, &self.name())?;
        Ok(())
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
        let appended = if state.full { Ok(Appended::Full) } else { self.append_record(&mut state, record) };
        if !matches!(appended, Ok(Appended::Written)) {
            state.unrecorded += 1;
        }
        appended
    }

    /// Appends what only the person is to know of why something was refused. It is no record, and is not counted.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn note(&self, code: &'static str, text: &str) -> Result<(), AuditError> {
        let mut state = self.lock();
        if state.full {
            return Ok(());
        }
        self.append_line(&mut state, Note::said(code, short(text)).line()).map(drop)
    }

    fn append_record(&self, state: &mut State, record: &Record) -> Result<Appended, AuditError> {
        let mut line = serde_json::to_vec(&bounded(record))
            .map_err(|error| AuditError::Write { path: self.path(), source: io::Error::other(error) })?;
        line.push(b'\n');
        self.append_line(state, line)
    }

    fn append_line(&self, state: &mut State, mut line: Vec<u8>) -> Result<Appended, AuditError> {
        let path = self.path();
        let began = state.began;
        let file = match &mut state.file {
            Some(file) => file,
            none => none.insert(record_file::open(&self.home, &self.name())?.0),
        };
        let length = file.metadata().map_err(|source| AuditError::Write { path: path.clone(), source })?.len();
        let mut appended = Appended::Written;
        if length.saturating_sub(began) + line.len() as u64 > Self::MAX {
            state.full = true;
            appended = Appended::Full;
            line = Note::full().line();
        }
        record_file::append(file, length, &line).map_err(|source| AuditError::Write { path, source })?;
        Ok(appended)
    }

    fn name(&self) -> String {
        format!("{}.jsonl", self.identity)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn short(text: &str) -> String {
    escape(&text.chars().take(Audit::FIELD_MAX).collect::<String>())
}

fn bounded(record: &Record) -> Record {
    Record { destination: short(&record.destination), asked: short(&record.asked), ..record.clone() }
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
