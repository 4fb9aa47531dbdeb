use std::fmt;
use std::path::{Component, Path, PathBuf};

use shown::Shown;

/// A path below some root: relative, no `..`, no NUL, parts of at most 255 bytes. The empty path is the root itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TreePath(PathBuf);

/// Why a path cannot stand in a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bad path in a tree {path:?}: {reason}")]
pub struct TreePathError {
    /// The path as it was given.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl TreePath {
    /// The root itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// Parses a relative path.
    ///
    /// # Errors
    /// When it is absolute, holds `..` or NUL, or a part is too long.
    pub fn parse(path: impl AsRef<Path>) -> Result<Self, TreePathError> {
        let path = path.as_ref();
        match crate::GuestPath::parse("/").and_then(|root| root.join(path)) {
            Ok(joined) => Ok(Self(joined.as_path().components().filter(|part| matches!(part, Component::Normal(_))).collect())),
            Err(error) => Err(TreePathError { path: path.to_owned(), reason: error.reason }),
        }
    }

    /// The path, relative; empty for the root.
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// Whether this is the root itself.
    pub fn is_root(&self) -> bool {
        self.0.as_os_str().is_empty()
    }
}

impl fmt::Display for TreePath {
    /// Control characters are shown escaped, so that a name cannot steer the person's terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown::path(&self.0).fmt(f)
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
