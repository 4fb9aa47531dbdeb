use std::io;
use std::path::{Path, PathBuf};

use crate::TreePath;
use shown::Shown;

/// Takes what comes out of a bottle. The bottle is hostile: a sink must not trust names, sizes or links.
pub trait TreeSink: Send {
    /// A folder; the root itself when the path is empty.
    ///
    /// # Errors
    /// When the sink refuses it; the copy ends.
    fn folder(&mut self, path: &TreePath, mode: u32) -> Result<(), SinkError>;
    /// A file begins. `size` is what the bottle claims; exactly that many bytes follow in [`TreeSink::write`].
    ///
    /// # Errors
    /// When the sink refuses it; the copy ends.
    fn begin_file(&mut self, path: &TreePath, mode: u32, size: u64) -> Result<(), SinkError>;
    /// The next bytes of the file that has begun.
    ///
    /// # Errors
    /// When the sink cannot take them; the copy ends.
    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError>;
    /// The file is complete.
    ///
    /// # Errors
    /// When bytes are missing or could not be kept; the copy ends.
    fn end_file(&mut self) -> Result<(), SinkError>;
    /// A symbolic link and its target, which may lead anywhere.
    ///
    /// # Errors
    /// When the sink refuses it; the copy ends.
    fn link(&mut self, path: &TreePath, target: &Path) -> Result<(), SinkError>;
}

/// How much a sink takes from one copy. A bottle can make up any number of entries and bytes at no cost to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SinkLimits {
    /// Files, folders and links together.
    pub entries: u64,
    /// Content of all files, in bytes.
    pub bytes: u64,
}

impl SinkLimits {
    /// No limit; for what we have made ourselves.
    pub const NONE: Self = Self { entries: u64::MAX, bytes: u64::MAX };
}

/// Why a sink refused an entry.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", Shown::path(.path))]
pub struct SinkError {
    /// The entry, or the host path.
    pub path: PathBuf,
    /// Why it was refused.
    pub reason: String,
}

impl SinkError {
    /// A refusal of `path`.
    pub fn new(path: impl Into<PathBuf>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into() }
    }

    /// A sink's own I/O error.
    pub fn io(path: impl Into<PathBuf>, error: &io::Error) -> Self {
        Self::new(path, error.to_string())
    }
}

/// What every sink counts, so that a bottle's claims are held to its limits and to each other.
#[derive(Debug)]
pub(super) struct Tally {
    limits: SinkLimits,
    entries: u64,
    bytes: u64,
    open: Option<OpenFile>,
}

/// The file that has begun.
#[derive(Debug)]
struct OpenFile {
    path: TreePath,
    missing: u64,
}

impl Tally {
    pub(super) fn new(limits: SinkLimits) -> Self {
        Self { limits, entries: 0, bytes: 0, open: None }
    }

    /// One more entry.
    pub(super) fn entry(&mut self, path: &TreePath) -> Result<(), SinkError> {
        if let Some(open) = &self.open {
            return Err(SinkError::new(open.path.as_path(), "another entry begins before this file's end"));
        }
        self.entries = self.entries.saturating_add(1);
        if self.entries > self.limits.entries {
            return Err(SinkError::new(
                path.as_path(),
                format!("more than {} entries; copy less at a time", self.limits.entries),
            ));
        }
        Ok(())
    }

    /// One more file of `size` bytes, refused before the first byte is taken.
    pub(super) fn begin(&mut self, path: &TreePath, size: u64) -> Result<(), SinkError> {
        self.entry(path)?;
        self.bytes = self.bytes.saturating_add(size);
        if self.bytes > self.limits.bytes {
            let reason = format!("with it, more than {} bytes; copy less at a time", self.limits.bytes);
            return Err(SinkError::new(path.as_path(), reason));
        }
        self.open = Some(OpenFile { path: path.clone(), missing: size });
        Ok(())
    }

    /// The file that has begun could not be made.
    pub(super) fn abandon(&mut self) {
        self.open = None;
    }

    /// More bytes of the file that has begun.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        let Some(open) = &mut self.open else { return Err(SinkError::new("", "bytes without a file")) };
        let Some(missing) = open.missing.checked_sub(bytes.len() as u64) else {
            return Err(SinkError::new(open.path.as_path(), "more bytes than announced"));
        };
        open.missing = missing;
        Ok(())
    }

    /// The file is complete; returns its path.
    pub(super) fn end(&mut self) -> Result<TreePath, SinkError> {
        let Some(open) = self.open.take() else { return Err(SinkError::new("", "the end of a file that never began")) };
        if open.missing > 0 {
            return Err(SinkError::new(open.path.as_path(), format!("{} bytes fewer than announced", open.missing)));
        }
        Ok(open.path)
    }
}
