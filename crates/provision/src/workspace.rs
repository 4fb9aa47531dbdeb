use std::path::{Path, PathBuf};

use agents::Shown;
use agents::credentials::{self, CredentialError, Private};
use bottle::tree::{Census, HostSource, Source, TreeError, Uncopyable};
use bottle::{GuestPath, HostPlace, Tool, Tree, TreePath};

use crate::guest_place;
use crate::part::Part;

/// Where the workspace stands, unless the manifest says otherwise.
pub const WORKSPACE: &str = "/home/node/workspace";

/// A folder of the host, with its `.git`, that becomes the agent's workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    host: HostPlace,
    at: GuestPath,
    exclude: Vec<String>,
    census: Census,
}

/// A workspace as manifest and command line ask for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The folder on the host.
    pub host: &'a Path,
    /// Its place in the bottle.
    pub at: &'a GuestPath,
    /// What is left out: names at any depth, paths with `/` as seen from the folder.
    pub exclude: &'a [String],
    /// What of the host is visible, read-only, at its own place.
    pub tools: &'a [Tool],
}

/// Why a folder cannot be the workspace.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// It would hand over credentials.
    #[error("cannot copy the working folder: {0}; change to a project's folder, or start without --cwd")]
    Place(#[from] CredentialError),
    /// It is no folder.
    #[error("cannot copy the working folder: {} is not a folder", Shown::path(.0))]
    NotAFolder(PathBuf),
    /// An exclusion that is neither a name nor a path below the folder.
    #[error("cannot leave {:?} out of the workspace: give a name, or a path as seen from the folder", Shown::text(.0).to_string())]
    Exclude(String),
    /// A place in the bottle that holds something else.
    #[error("workspace.path: the workspace cannot stand at {at}: {reason}; choose a folder such as {WORKSPACE} or /srv/NAME")]
    Guest {
        /// The place.
        at: GuestPath,
        /// What is there.
        reason: String,
    },
    /// Something in it cannot be copied.
    #[error("cannot copy the working folder: {0}{way_out}", way_out = way_out(.0))]
    Content(#[from] TreeError),
}

fn way_out(error: &TreeError) -> &'static str {
    match error {
        TreeError::Read { .. } => "; make it readable, or leave it out with workspace.exclude",
        TreeError::Missing { .. }
        | TreeError::LeadsOut { .. }
        | TreeError::Special { .. }
        | TreeError::Changed { .. }
        | TreeError::Place(_)
        | TreeError::Stream(_) => "",
    }
}

impl Workspace {
    /// Looks at a folder: everything that a copy will read, except contents. Links that lead out of it are left out.
    ///
    /// # Errors
    /// See [`WorkspaceError`]. The home itself and everything above it are refused: they hold every credential there is.
    pub(crate) fn validate(wanted: &Wanted<'_>, private: Private<'_>) -> Result<Self, WorkspaceError> {
        let Wanted { host, at, exclude, tools } = *wanted;
        guest_place::check(at, tools).map_err(|reason| WorkspaceError::Guest { at: at.clone(), reason })?;
        let host = credentials::check_place(host, private)?;
        if !host.is_folder() {
            return Err(WorkspaceError::NotAFolder(host.path().to_owned()));
        }
        if let Some(bad) = exclude.iter().find(|excluded| !is_exclusion(excluded)) {
            return Err(WorkspaceError::Exclude(bad.clone()));
        }
        let tree = Tree::new().with(TreePath::root(), source(&host, exclude));
        let census = tree.scan()?;
        Ok(Self { host, at: at.clone(), exclude: exclude.to_vec(), census })
    }

    /// Its canonical path on the host.
    pub fn host(&self) -> &Path {
        self.host.path()
    }

    /// What goes along, and what does not.
    pub fn census(&self) -> &Census {
        &self.census
    }

    /// Its place in the bottle.
    pub fn at(&self) -> &GuestPath {
        &self.at
    }

    pub(crate) fn part(&self) -> Part {
        Part { at: self.at.clone(), source: source(&self.host, &self.exclude) }
    }
}

/// The forms that [`Source::Host`] knows.
fn is_exclusion(text: &str) -> bool {
    TreePath::parse(text).is_ok_and(|path| !path.is_root() && path.as_path().as_os_str() == text)
}

fn source(host: &HostPlace, exclude: &[String]) -> Source {
    Source::Host { from: HostSource::Looked(host.clone()), uncopyable: Uncopyable::LeaveOut, exclude: exclude.to_vec() }
}

#[cfg(test)]
mod tests;
