//! What a bottle says about Git: the identity of commits and the repositories behind the gate.

mod host_key;
mod repo;
mod repo_name;
mod ssh_url;

use std::collections::BTreeMap;

pub use host_key::{HostKey, HostKeyError};
pub use repo::{Repo, RepoKey};
pub use repo_name::{RepoName, RepoNameError};
pub use ssh_url::{SshUrl, SshUrlError};

/// Identity and repositories.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Git {
    /// The bottle's commit identity.
    pub user: GitUser,
    /// Repositories that the gate serves.
    pub repos: BTreeMap<RepoName, Repo>,
}

/// A commit identity. Neither part holds a control character, `<` or `>`, and neither is ever an empty text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GitUser {
    /// The name.
    pub name: Option<String>,
    /// The address.
    pub email: Option<String>,
}
