use std::io;
use std::path::Path;

use crate::{BottleName, HostPlace, Limits};

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
    Folder(HostPlace),
    /// A tar archive that holds one.
    Archive(HostPlace),
    /// An image that an engine knows by this name.
    Image(String),
    /// An image that an engine builds.
    Build(Recipe),
}

/// How an image is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// What the image is called after, `[a-z0-9-]+`; images of one name differ in their tags.
    pub name: String,
    /// A Dockerfile.
    pub dockerfile: Dockerfile,
}

/// Where a Dockerfile is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dockerfile {
    /// This text. It copies nothing from the host.
    Text(&'static str),
    /// This file. It may copy what is in its folder.
    File(HostPlace),
}

/// A host folder or file that is visible in the bottle, read-only, at the same absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// Where it is, on the host and in the bottle.
    pub place: HostPlace,
}

impl Tool {
    /// What stands at `path` now.
    ///
    /// # Errors
    /// When there is nothing, or the system refuses to look.
    pub fn look(path: impl AsRef<Path>) -> io::Result<Self> {
        HostPlace::look(path).map(|place| Self { place })
    }

    /// Its absolute path, no link in it.
    pub fn path(&self) -> &Path {
        self.place.path()
    }
}
