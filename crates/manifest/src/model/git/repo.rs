use crate::{EnvName, HostKey, SshUrl};

/// A repository behind the git gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repo {
    /// Where the gate fetches from and pushes to.
    pub url: SshUrl,
    /// How the gate proves who it is. The agent never sees it.
    pub key: RepoKey,
    /// The server's host key. Without it the gate refuses to connect: nothing is trusted on first use.
    pub host_key: Option<HostKey>,
}

/// How the gate proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepoKey {
    /// A private key on the host.
    Static {
        /// Its path, as written: absolute, or below `~/`.
        path: String,
    },
    /// A deploy key made for one launch through the forge's API (Gitea and Forgejo).
    Gitea {
        /// The host variable that holds the API token.
        token_env: EnvName,
    },
}
