use bottle::Limits;
use manifest::{EnvSource, Resolved};
use serde::Serialize;

use super::RouteLine;

/// What merged manifests say, for reading: names, never values. Every text is safe to show on a terminal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyLines {
    /// The variables of the bottle.
    pub env: Vec<EnvLine>,
    /// The commit identity, each part with who claims it: `Fixer (agent)`.
    pub git_user: Vec<String>,
    /// Repositories behind the gate: `name -> host:port`.
    pub git_repos: Vec<String>,
    /// Routes that the bottle declares.
    pub egress: Vec<RouteLine>,
    /// Limits.
    pub limits: Vec<Limit>,
}

/// One variable of a bottle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvLine {
    /// Its name.
    pub name: String,
    /// Where its value comes from: `manifest`, `asked`, `host:NAME`.
    pub from: String,
}

/// One limit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Limit {
    /// `memory`, `cpus`, `pids`, `disk` or `time`.
    pub name: &'static str,
    /// Bytes, cores, processes or seconds.
    pub value: f64,
}

impl PolicyLines {
    /// The lines of one agent in its merged bottle.
    pub fn of(resolved: &Resolved) -> Self {
        let bottle = &resolved.bottle;
        let repo =
            |(name, repo): (&manifest::RepoName, &manifest::Repo)| format!("{name} -> {}:{}", repo.url.host(), repo.url.port());
        Self {
            env: bottle.env.iter().map(|(name, source)| EnvLine { name: name.to_string(), from: origin(source) }).collect(),
            git_user: [&resolved.git_user.name, &resolved.git_user.email]
                .into_iter()
                .flatten()
                .map(ToString::to_string)
                .collect(),
            git_repos: bottle.git.repos.iter().map(repo).collect(),
            egress: bottle.egress.routes.iter().map(|declared| RouteLine::of(&declared.route)).collect(),
            limits: lines(&limits(resolved)),
        }
    }
}

/// The manifest's limits as the contract has them.
pub(crate) fn limits(resolved: &Resolved) -> Limits {
    let manifest::Limits { memory, cpus, pids, disk, time } = resolved.bottle.limits;
    Limits { memory, cpus, pids, disk, time }
}

#[allow(clippy::cast_precision_loss, reason = "shown to a person: 2^53 bytes are exact enough")]
fn lines(limits: &Limits) -> Vec<Limit> {
    let all = [
        ("memory", limits.memory.map(|bytes| bytes as f64)),
        ("cpus", limits.cpus),
        ("pids", limits.pids.map(|pids| pids as f64)),
        ("disk", limits.disk.map(|bytes| bytes as f64)),
        ("time", limits.time.map(|time| time.as_secs_f64())),
    ];
    all.into_iter().filter_map(|(name, value)| Some(Limit { name, value: value? })).collect()
}

fn origin(source: &EnvSource) -> String {
    match source {
        EnvSource::Literal(_) => "manifest".to_owned(),
        EnvSource::Ask { .. } => "asked".to_owned(),
        EnvSource::Host { var } => format!("host:{var}"),
    }
}
