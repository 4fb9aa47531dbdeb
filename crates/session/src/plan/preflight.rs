use std::path::PathBuf;

use agents::find::Found;
use agents::{AgentCommand, Provider, Visible};
use bottle::{Boundary, Limits, Users};
use manifest::EnvSource;
use policy::Auth;
use provision::ProvisionPlan;
use serde::Serialize;
use store::{Identity, escape};

use super::Planner;

/// What a launch will do, to be read by a person or, as JSON, by a program. Names, never values of variables. Every text is
/// safe to show on a terminal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preflight {
    /// The session's name.
    pub identity: String,
    /// The agent's name.
    pub agent: String,
    /// The agent's file.
    pub agent_file: String,
    /// `home` or `repository`.
    pub agent_origin: String,
    /// The bottles whose policy was merged, in order.
    pub bottles: Vec<String>,
    /// The backend.
    pub backend: String,
    /// What stands between the agent and the host.
    pub boundary: &'static str,
    /// `claude`, `codex` or `command`.
    pub provider: &'static str,
    /// Where the agent's program was found on the host; `None` when it is not needed or comes with the image.
    pub program: Option<String>,
    /// What will be run: program and arguments.
    pub command: Vec<String>,
    /// The variables of the bottle.
    pub env: Vec<EnvLine>,
    /// Skills that are copied in.
    pub skills: Vec<String>,
    /// The workspace, when one is copied in.
    pub workspace: Option<WorkspaceLine>,
    /// The commit identity, each part with who claims it: `Fixer (agent)`.
    pub git_user: Vec<String>,
    /// Repositories behind the gate: `name -> host:port`.
    pub git_repos: Vec<String>,
    /// Hosts that the bottle declares: `example.org [auth:Bearer]`.
    pub egress: Vec<String>,
    /// What the network does in this session.
    pub network: &'static str,
    /// Limits that are enforced.
    pub limits: Vec<Limit>,
    /// Host paths that are visible, read-only.
    pub tools: Vec<String>,
    /// Facts about this machine, and notes about the manifests.
    pub notes: Vec<String>,
}

/// One variable of the bottle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvLine {
    /// Its name.
    pub name: String,
    /// Where its value comes from: `manifest`, `asked`, `host:NAME`.
    pub from: String,
}

/// The workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkspaceLine {
    /// The folder on the host.
    pub host: String,
    /// How many files are copied.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many links lead out of it and are left out.
    pub links_left_out: u64,
}

/// One limit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Limit {
    /// `memory`, `cpus`, `pids`, `disk` or `time`.
    pub name: &'static str,
    /// Bytes, cores, processes or seconds.
    pub value: f64,
}

pub(super) struct Facts<'a> {
    pub planner: &'a Planner<'a>,
    pub identity: &'a Identity,
    pub provision: &'a ProvisionPlan,
    pub provider: &'a Provider,
    pub found: Option<&'a Found>,
    pub visible: &'a Visible,
    pub limits: &'a Limits,
    pub command: &'a AgentCommand,
}

const CLOSED: &str = "closed: every connection is refused with a reason and recorded";

pub(super) fn describe(facts: &Facts<'_>) -> Preflight {
    let Planner { resolved, backend, capabilities, .. } = facts.planner;
    let (agent, bottle) = (&resolved.agent, &resolved.bottle);
    let shown = |path: &PathBuf| escape(&path.to_string_lossy());
    Preflight {
        identity: facts.identity.to_string(),
        agent: agent.name.to_string(),
        agent_file: shown(&agent.file),
        agent_origin: agent.origin.to_string(),
        bottles: resolved.bottles.iter().map(ToString::to_string).collect(),
        backend: backend.to_string(),
        boundary: boundary(capabilities.boundary),
        provider: facts.provider.template().name(),
        program: facts.found.map(|found| shown(&found.found_at)),
        command: facts.command.argv.iter().map(|arg| escape(&arg.to_string_lossy())).collect(),
        env: bottle.env.iter().map(|(name, source)| EnvLine { name: name.to_string(), from: origin(source) }).collect(),
        skills: facts.provision.skills().iter().map(|skill| escape(skill.name())).collect(),
        workspace: facts.provision.workspace().map(|workspace| WorkspaceLine {
            host: escape(&workspace.host().to_string_lossy()),
            files: workspace.census().files,
            bytes: workspace.census().bytes,
            links_left_out: workspace.census().links_left_out,
        }),
        git_user: [&resolved.git_user.name, &resolved.git_user.email].into_iter().flatten().map(ToString::to_string).collect(),
        git_repos: bottle
            .git
            .repos
            .iter()
            .map(|(name, repo)| format!("{name} -> {}:{}", repo.url.host(), repo.url.port()))
            .collect(),
        egress: bottle.egress.routes.iter().map(|declared| route(&declared.route)).collect(),
        network: CLOSED,
        limits: limits(facts.limits),
        tools: facts.visible.tools.iter().map(|tool| shown(&tool.path)).collect(),
        notes: notes(facts),
    }
}

fn boundary(boundary: Boundary) -> &'static str {
    match boundary {
        Boundary::None => "none (for tests)",
        Boundary::Namespaces => "the host's kernel: namespaces, seccomp, no capabilities",
        Boundary::UserSpaceKernel => "a kernel in user space (gVisor)",
        Boundary::VirtualMachine => "a virtual machine",
    }
}

fn origin(source: &EnvSource) -> String {
    match source {
        EnvSource::Literal(_) => "manifest".to_owned(),
        EnvSource::Ask { .. } => "asked".to_owned(),
        EnvSource::Host { var } => format!("host:{var}"),
    }
}

fn route(route: &policy::Route) -> String {
    match &route.auth {
        None => route.host.to_string(),
        Some(Auth::Scheme { scheme, .. }) => format!("{} [auth:{}]", route.host, scheme.as_str()),
        Some(Auth::Header { header, .. }) => format!("{} [auth:{}]", route.host, header.as_str()),
    }
}

#[allow(clippy::cast_precision_loss, reason = "shown to a person: 2^53 bytes are exact enough")]
fn limits(limits: &Limits) -> Vec<Limit> {
    let all = [
        ("memory", limits.memory.map(|bytes| bytes as f64)),
        ("cpus", limits.cpus),
        ("pids", limits.pids.map(|pids| pids as f64)),
        ("disk", limits.disk.map(|bytes| bytes as f64)),
        ("time", limits.time.map(|time| time.as_secs_f64())),
    ];
    all.into_iter().filter_map(|(name, value)| Some(Limit { name, value: value? })).collect()
}

fn notes(facts: &Facts<'_>) -> Vec<String> {
    let Planner { resolved, capabilities, .. } = facts.planner;
    let mut notes: Vec<String> = resolved.notes.iter().map(ToString::to_string).collect();
    notes.extend(capabilities.remarks.iter().map(|remark| escape(remark)));
    if capabilities.users == Users::Shared {
        notes.push("only one user id can be mapped: files of the bottle's root are node's too".to_owned());
    }
    if !resolved.bottle.egress.routes.is_empty() || !resolved.bottle.git.repos.is_empty() {
        notes.push("egress routes and git repositories are checked but not served: the network of a bottle is closed".to_owned());
    }
    notes
}
