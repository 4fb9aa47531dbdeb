use std::path::PathBuf;

use super::SharedFolder;
use crate::{ManifestName, Origin};

/// An agent that exists by name; its file has not been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentEntry {
    /// Its name.
    pub name: ManifestName,
    /// Its file.
    pub file: PathBuf,
    /// Who wrote it.
    pub origin: Origin,
}

/// A bottle that exists by name; its file has not been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BottleEntry {
    /// Its name.
    pub name: ManifestName,
    /// Its file.
    pub file: PathBuf,
}

/// An entry and the open folder that its file is in.
#[derive(Debug)]
pub(super) struct Known<E> {
    pub entry: E,
    pub folder: SharedFolder,
}
