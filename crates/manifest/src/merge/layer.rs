use std::collections::BTreeMap;

use policy::LogLevel;

use crate::{Bottle, DeclaredRoute, Egress, EnvName, EnvSource, Git, GitUser, Limits, Provider, Repo, RepoName, Workspace};

/// What one bottle, or several merged ones, declare. `None` is "says nothing", which is not the same as an empty value.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Layer {
    pub env: BTreeMap<EnvName, EnvSource>,
    pub provider: Option<Provider>,
    pub user: GitUser,
    pub repos: Option<BTreeMap<RepoName, Repo>>,
    pub egress: Option<EgressLayer>,
    pub supervise: Option<bool>,
    pub limits: Option<Limits>,
    pub tools: Option<Vec<String>>,
    pub workspace: Option<Workspace>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct EgressLayer {
    pub routes: Vec<DeclaredRoute>,
    pub log: Option<LogLevel>,
}

impl Layer {
    /// The bottle that comes of it, with every default filled in.
    pub fn into_bottle(self) -> Bottle {
        let default = Bottle::default();
        let egress = self.egress.unwrap_or_default();
        Bottle {
            env: self.env,
            provider: self.provider.unwrap_or(default.provider),
            git: Git { user: self.user, repos: self.repos.unwrap_or_default() },
            egress: Egress { routes: egress.routes, log: egress.log.unwrap_or_default() },
            supervise: self.supervise.unwrap_or(default.supervise),
            limits: self.limits.unwrap_or(default.limits),
            tools: self.tools.unwrap_or(default.tools),
            workspace: self.workspace.unwrap_or(default.workspace),
        }
    }
}

impl GitUser {
    /// This identity with the other's parts wherever the other says something.
    pub(crate) fn overlaid(self, over: Self) -> Self {
        Self { name: over.name.or(self.name), email: over.email.or(self.email) }
    }
}
