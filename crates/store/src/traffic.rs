use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use rustix::fs::{self, AtFlags, Mode, OFlags};
use serde::Serialize;

use crate::{AuditError, Home, Identity, StoreError, folder};

/// What was let through in one session: `audit/<identity>.traffic.jsonl`, the last [`Traffic::MAX`] to twice as many bytes of it.
///
/// Records are kept in memory and written together: [`Traffic::flush`] is called often. When they cannot be written any more
/// [`Traffic::is_broken`] says so, and whoever lets things through stops: what cannot be recorded does not pass.
#[derive(Debug)]
pub struct Traffic {
    home: Home,
    identity: Identity,
    waiting: Mutex<Vec<u8>>,
    file: Mutex<Option<Open>>,
    broken: AtomicBool,
}

#[derive(Debug)]
struct Open {
    file: File,
    length: u64,
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
    /// Bytes of one file; one older file is kept beside it.
    pub const MAX: u64 = 8 * 1024 * 1024;
    /// Records are written at the latest when they fill this many bytes.
    const WAITING: usize = 32 * 1024;

    /// The log of `identity`; touches nothing yet.
    pub fn new(home: Home, identity: Identity) -> Self {
        let (waiting, file) = (Mutex::new(Vec::new()), Mutex::new(None));
        Self { home, identity, waiting, file, broken: AtomicBool::new(false) }
    }

    /// Where the records are.
    pub fn path(&self) -> PathBuf {
        self.home.traffic_path(&self.identity)
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
        let mut file = lock(&self.file);
        let lines = std::mem::take(&mut *lock(&self.waiting));
        if lines.is_empty() {
            return Ok(());
        }
        let written = self.write(&mut file, &lines);
        self.broken.store(written.is_err(), Ordering::Release);
        if written.is_err() {
            *file = None;
            let mut waiting = lock(&self.waiting);
            let newer = std::mem::replace(&mut *waiting, lines);
            waiting.extend_from_slice(&newer);
        }
        written
    }

    fn write(&self, open: &mut Option<Open>, lines: &[u8]) -> Result<(), AuditError> {
        if open.as_ref().is_some_and(|open| open.length + lines.len() as u64 > Self::MAX) {
            *open = None;
            self.put_aside()?;
        }
        let open = match open {
            Some(open) => open,
            none => none.insert(self.open()?),
        };
        let failed = |source| AuditError::Write { path: self.path(), source };
        match open.file.write(lines).map_err(failed)? {
            written if written == lines.len() => {
                open.length += written as u64;
                Ok(())
            }
            _ => {
                open.file.set_len(open.length).map_err(failed)?;
                Err(failed(io::Error::new(io::ErrorKind::StorageFull, "only a part could be written")))
            }
        }
    }

    fn folder(&self) -> Result<std::os::fd::OwnedFd, StoreError> {
        let home = folder::open_own(self.home.path())?;
        folder::open_private(&home, "audit", &self.home.path().join("audit"))
    }

    fn name(&self) -> String {
        format!("{}.traffic.jsonl", self.identity)
    }

    fn open(&self) -> Result<Open, StoreError> {
        let path = self.path();
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = fs::openat(self.folder()?, self.name(), flags, Mode::RUSR | Mode::WUSR)
            .map_err(|error| StoreError::io("opening", &path, error))?;
        let stat = fs::fstat(&file).map_err(|error| StoreError::io("reading", &path, error))?;
        if !fs::FileType::from_raw_mode(stat.st_mode).is_file() || stat.st_uid != rustix::process::geteuid().as_raw() {
            return Err(StoreError::Unsafe { path, what: "no file of yours".to_owned() });
        }
        Ok(Open { file: File::from(file), length: u64::try_from(stat.st_size).unwrap_or(0) })
    }

    /// The full file becomes the older one; what was the older one goes.
    fn put_aside(&self) -> Result<(), StoreError> {
        let folder = self.folder()?;
        let (name, older) = (self.name(), format!("{}.traffic.1.jsonl", self.identity));
        let _ = fs::unlinkat(&folder, &older, AtFlags::empty());
        fs::renameat(&folder, &name, &folder, &older).map_err(|error| StoreError::io("renaming", &self.path(), error))
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
