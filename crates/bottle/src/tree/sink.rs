use std::io;
use std::path::PathBuf;

use crate::TreePath;

/// Takes what comes out of a bottle. The bottle is hostile: a sink must not trust names, sizes or links.
pub trait TreeSink: Send {
    /// A folder; the root itself when the path is empty.
    fn folder(&mut self, path: &TreePath, mode: u32) -> Result<(), SinkError>;
    /// A file begins. `size` is what the bottle claims; exactly that many bytes follow in [`TreeSink::write`].
    fn begin_file(&mut self, path: &TreePath, mode: u32, size: u64) -> Result<(), SinkError>;
    /// The next bytes of the file that has begun.
    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError>;
    /// The file is complete.
    fn end_file(&mut self) -> Result<(), SinkError>;
    /// A symbolic link and its target, which may lead anywhere.
    fn link(&mut self, path: &TreePath, target: &std::path::Path) -> Result<(), SinkError>;
}

/// Why a sink refused an entry.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", .path.display())]
pub struct SinkError {
    /// The entry, or the host path.
    pub path: PathBuf,
    /// Why it was refused.
    pub reason: String,
}

impl SinkError {
    /// A sink's own I/O error.
    pub fn io(path: impl Into<PathBuf>, error: &io::Error) -> Self {
        Self { path: path.into(), reason: error.to_string() }
    }
}

/// Keeps everything in memory; for tests and small things.
#[derive(Debug, Default)]
pub struct MemorySink {}

/// Writes below one host folder that did not exist before.
#[derive(Debug)]
pub struct HostFolder {}
