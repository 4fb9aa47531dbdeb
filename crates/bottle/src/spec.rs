use std::path::PathBuf;

use crate::{BottleName, Limits};

/// What a backend needs to know to make a bottle. Nothing of what the bottle is for.
#[derive(Debug, Clone, PartialEq)]
pub struct BottleSpec {
    /// Its name and host name.
    pub name: BottleName,
    /// What its file system is made from.
    pub root: RootFs,
    /// Host folders and files that are visible, read-only, at the same path.
    pub tools: Vec<Tool>,
    /// What it may use.
    pub limits: Limits,
}

/// What a bottle's file system is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootFs {
    /// The backend's own default: the host's system folders (native), the project's base image (others).
    Default,
    /// A folder that holds a root file system.
    Folder(PathBuf),
    /// A tar archive that holds one.
    Archive(PathBuf),
    /// An image that an engine knows by this name.
    Image(String),
}

/// A host folder or file that is visible in the bottle, read-only, at the same absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// Absolute path on the host and in the bottle; no symbolic link in it.
    pub path: PathBuf,
}
