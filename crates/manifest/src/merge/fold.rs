use std::collections::BTreeMap;

use super::{EgressLayer, Layer};
use crate::{Limits, Repo, RepoName, Workspace};

impl Layer {
    /// Two bottles beside each other, `next` being the later one: `env`, identity, limits and repositories are joined, the
    /// later winning where both speak of one thing; routes, tools and exclusions are put one after the other, each once;
    /// of all else the later wins. Associative, with the empty layer as its neutral element.
    pub fn beside(mut self, next: Self) -> Self {
        self.env.extend(next.env);
        Self {
            env: self.env,
            provider: next.provider.or(self.provider),
            user: self.user.overlaid(next.user),
            repos: both(self.repos, next.repos, repos),
            egress: both(self.egress, next.egress, egress),
            supervise: next.supervise.or(self.supervise),
            limits: both(self.limits, next.limits, limits),
            tools: both(self.tools, next.tools, each_once),
            workspace: both(self.workspace, next.workspace, workspace),
        }
    }
}

fn both<T>(first: Option<T>, next: Option<T>, join: impl FnOnce(T, T) -> T) -> Option<T> {
    match (first, next) {
        (Some(first), Some(next)) => Some(join(first, next)),
        (first, next) => next.or(first),
    }
}

/// By name, and by field within a name: a later bottle may leave the host key to an earlier one.
fn repos(mut first: BTreeMap<RepoName, Repo>, next: BTreeMap<RepoName, Repo>) -> BTreeMap<RepoName, Repo> {
    for (name, mut repo) in next {
        repo.host_key = repo.host_key.or_else(|| first.get(&name).and_then(|earlier| earlier.host_key.clone()));
        first.insert(name, repo);
    }
    first
}

fn egress(mut first: EgressLayer, next: EgressLayer) -> EgressLayer {
    for declared in next.routes {
        // A common parent's routes arrive by every way that leads to it.
        if !first.routes.iter().any(|earlier| earlier.route == declared.route) {
            first.routes.push(declared);
        }
    }
    EgressLayer { routes: first.routes, log: next.log.or(first.log) }
}

fn limits(first: Limits, next: Limits) -> Limits {
    Limits {
        memory: next.memory.or(first.memory),
        cpus: next.cpus.or(first.cpus),
        pids: next.pids.or(first.pids),
        disk: next.disk.or(first.disk),
        time: next.time.or(first.time),
    }
}

fn workspace(first: Workspace, next: Workspace) -> Workspace {
    Workspace { copy: next.copy, path: next.path, exclude: each_once(first.exclude, next.exclude) }
}

fn each_once<T: PartialEq>(mut first: Vec<T>, next: Vec<T>) -> Vec<T> {
    for item in next {
        if !first.contains(&item) {
            first.push(item);
        }
    }
    first
}
