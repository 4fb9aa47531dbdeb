use std::path::{Path, PathBuf};

use agents::Shown;
use agents::credentials::{self, CredentialError};
use bottle::tree::{Census, OutwardLinks, Source, TreeError};
use bottle::{GuestPath, GuestPathError, Tree, TreePath};

use crate::part::{Part, in_home};

/// Where the workspace stands, below `/home/node`.
pub const WORKSPACE: &str = "workspace";

/// A folder of the host, with its `.git`, that becomes the agent's workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    host: PathBuf,
    exclude: Vec<String>,
    census: Census,
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
    /// bot-bottle's own state lies in it: other sessions' files would go along.
    #[error("cannot copy the working folder: {} holds bot-bottle's own state, {}; move one of them", Shown::path(.path), Shown::path(.state))]
    HoldsState {
        /// The folder.
        path: PathBuf,
        /// The state's folder.
        state: PathBuf,
    },
    /// An exclusion that is not one name.
    #[error("cannot leave {:?} out of the workspace: give one name, without '/'", Shown::text(.0).to_string())]
    Exclude(String),
    /// Something in it cannot be copied.
    #[error("cannot copy the working folder: {0}")]
    Content(#[from] TreeError),
}

impl Workspace {
    /// Looks at a folder: everything that a copy will read, except contents. Links that lead out of it are left out; names
    /// in `exclude` are left out wherever they stand.
    ///
    /// # Errors
    /// See [`WorkspaceError`]. The home itself and everything above it are refused: they hold every credential there is.
    pub fn validate(host: &Path, exclude: &[String], home: &Path, state: &Path) -> Result<Self, WorkspaceError> {
        let host = credentials::check_place(host, home)?;
        if !host.is_dir() {
            return Err(WorkspaceError::NotAFolder(host));
        }
        let real_state = std::fs::canonicalize(state).unwrap_or_else(|_| state.to_owned());
        if real_state.starts_with(&host) || host.starts_with(&real_state) {
            return Err(WorkspaceError::HoldsState { path: host, state: state.to_owned() });
        }
        if let Some(bad) = exclude.iter().find(|name| name.is_empty() || name.contains('/')) {
            return Err(WorkspaceError::Exclude(bad.clone()));
        }
        let tree = Tree::new().with(TreePath::root(), source(&host, exclude));
        let census = tree.scan()?;
        Ok(Self { host, exclude: exclude.to_vec(), census })
    }

    /// Its canonical path on the host.
    pub fn host(&self) -> &Path {
        &self.host
    }

    /// What goes along, and how many links do not.
    pub fn census(&self) -> &Census {
        &self.census
    }

    /// Its place in the bottle.
    pub(crate) fn at() -> Result<GuestPath, GuestPathError> {
        in_home(WORKSPACE)
    }

    pub(crate) fn part(&self) -> Result<Part, GuestPathError> {
        Ok(Part { at: Self::at()?, source: source(&self.host, &self.exclude) })
    }
}

fn source(host: &Path, exclude: &[String]) -> Source {
    Source::Host { path: host.to_owned(), outward: OutwardLinks::LeaveOut, exclude: exclude.to_vec() }
}

#[cfg(test)]
mod tests;
