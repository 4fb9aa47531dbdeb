use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use super::sink::{SinkError, SinkLimits, Tally, TreeSink};
use crate::TreePath;

/// Keeps everything in memory; for tests and small things.
#[derive(Debug)]
pub struct MemorySink {
    entries: BTreeMap<TreePath, MemoryEntry>,
    tally: Tally,
    content: Vec<u8>,
    mode: u32,
}

/// What a [`MemorySink`] has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemoryEntry {
    /// A folder.
    Folder {
        /// Permission bits.
        mode: u32,
    },
    /// A file.
    File {
        /// Permission bits.
        mode: u32,
        /// All of it.
        content: Vec<u8>,
    },
    /// A symbolic link.
    Link {
        /// Its target, wherever that leads.
        target: PathBuf,
    },
}

impl Default for MemorySink {
    fn default() -> Self {
        Self::with_limits(SinkLimits::NONE)
    }
}

impl MemorySink {
    /// A sink that refuses what goes beyond `limits`.
    pub fn with_limits(limits: SinkLimits) -> Self {
        Self { entries: BTreeMap::new(), tally: Tally::new(limits), content: Vec::new(), mode: 0 }
    }

    /// What has come, by path; the root has the empty one.
    pub fn entries(&self) -> &BTreeMap<TreePath, MemoryEntry> {
        &self.entries
    }

    /// The same, to keep.
    pub fn into_entries(self) -> BTreeMap<TreePath, MemoryEntry> {
        self.entries
    }

    /// The content of the file at `path`, relative; `""` when a single file was copied.
    pub fn file(&self, path: impl AsRef<Path>) -> Option<&[u8]> {
        match self.entries.get(&TreePath::parse(path).ok()?) {
            Some(MemoryEntry::File { content, .. }) => Some(content),
            Some(MemoryEntry::Folder { .. } | MemoryEntry::Link { .. }) | None => None,
        }
    }

    fn keep(&mut self, path: TreePath, entry: MemoryEntry) -> Result<(), SinkError> {
        match self.entries.entry(path) {
            Entry::Occupied(there) => Err(SinkError::new(there.key().as_path(), "it came twice")),
            Entry::Vacant(place) => {
                place.insert(entry);
                Ok(())
            }
        }
    }
}

impl TreeSink for MemorySink {
    fn folder(&mut self, path: &TreePath, mode: u32) -> Result<(), SinkError> {
        self.tally.entry(path)?;
        self.keep(path.clone(), MemoryEntry::Folder { mode })
    }

    fn begin_file(&mut self, path: &TreePath, mode: u32, size: u64) -> Result<(), SinkError> {
        self.tally.begin(path, size)?;
        // No reservation: the size is the bottle's claim.
        self.content = Vec::new();
        self.mode = mode;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        self.tally.write(bytes)?;
        self.content.extend_from_slice(bytes);
        Ok(())
    }

    fn end_file(&mut self) -> Result<(), SinkError> {
        let path = self.tally.end()?;
        let content = std::mem::take(&mut self.content);
        self.keep(path, MemoryEntry::File { mode: self.mode, content })
    }

    fn link(&mut self, path: &TreePath, target: &Path) -> Result<(), SinkError> {
        self.tally.entry(path)?;
        self.keep(path.clone(), MemoryEntry::Link { target: target.to_owned() })
    }
}
