use std::path::Path;

use agents::find::Found;
use agents::{AgentCommand, Provider, Visible};
use bottle::{Boundary, RootFs};
use manifest::Origin;
use policy::{ProviderHost, Table};
use provision::ProvisionPlan;
use serde::{Serialize, Serializer};
use store::{Identity, escape};

use super::{Planner, PolicyLines};

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
    /// Who wrote the agent's file: `home` or `repository`.
    #[serde(serialize_with = "as_text")]
    pub agent_origin: Origin,
    /// The bottles whose policy was merged, in order.
    pub bottles: Vec<String>,
    /// The backend.
    pub backend: String,
    /// What stands between the agent and the host.
    pub boundary: &'static str,
    /// `claude`, `codex` or `command`.
    pub provider: &'static str,
    /// The hosts of the agent's model, which every bottle of its template reaches, and what pays there:
    /// `api.example.com [auth:Bearer, your Claude login]`.
    pub model: Vec<String>,
    /// Where the agent's program was found on the host; `None` when it is not needed or comes with the image.
    pub program: Option<String>,
    /// What the bottle's file system is made from; `None` for the backend's own.
    pub image: Option<String>,
    /// What will be run: program and arguments.
    pub command: Vec<String>,
    /// Skills that are copied in.
    pub skills: Vec<String>,
    /// The workspace, when one is copied in.
    pub workspace: Option<WorkspaceLine>,
    /// What the merged manifests say.
    #[serde(flatten)]
    pub policy: PolicyLines,
    /// What the network does in this session.
    pub network: &'static str,
    /// Host paths that are visible, read-only.
    pub tools: Vec<String>,
    /// Facts about this machine, and notes about the manifests.
    pub notes: Vec<String>,
}

/// The workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkspaceLine {
    /// The folder on the host.
    pub host: String,
    /// Its place in the bottle.
    pub path: String,
    /// How many files are copied.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many things in it are left out: links that lead out of it, sockets and the like.
    pub left_out: u64,
    /// The first few of them, as seen from it.
    pub left_out_first: Vec<String>,
}

pub(super) struct Facts<'a> {
    pub planner: &'a Planner<'a>,
    pub identity: &'a Identity,
    pub root: &'a RootFs,
    pub provision: &'a ProvisionPlan,
    pub provider: &'a Provider,
    pub found: Option<&'a Found>,
    pub visible: &'a Visible,
    pub command: &'a AgentCommand,
    pub table: &'a Table,
}

const NOTHING: &str = "reaches nothing: no route is declared, every connection is refused and recorded";
const ROUTES: &str = "reaches what the routes allow and nothing else; every request is recorded";

pub(super) fn describe(facts: &Facts<'_>) -> Preflight {
    let Planner { resolved, backend, capabilities, .. } = facts.planner;
    let agent = &resolved.agent;
    let shown = |path: &Path| escape(&path.to_string_lossy());
    Preflight {
        identity: facts.identity.to_string(),
        agent: agent.name.to_string(),
        agent_file: shown(&agent.file),
        agent_origin: agent.origin,
        bottles: resolved.bottles.iter().map(ToString::to_string).collect(),
        backend: backend.to_string(),
        boundary: boundary(capabilities.boundary),
        provider: facts.provider.template().name(),
        model: facts.provider.hosts().iter().map(model).collect(),
        program: facts.found.map(|found| shown(&found.found_at)),
        image: super::root::describe(facts.root),
        command: facts.command.argv.iter().map(|arg| escape(&arg.to_string_lossy())).collect(),
        skills: facts.provision.skills().iter().map(|skill| escape(skill.name())).collect(),
        workspace: facts.provision.workspace().map(|workspace| WorkspaceLine {
            host: escape(&workspace.host().to_string_lossy()),
            path: workspace.at().to_string(),
            files: workspace.census().files,
            bytes: workspace.census().bytes,
            left_out: workspace.census().left_out.count,
            left_out_first: workspace.census().left_out.first.iter().map(|path| shown(path)).collect(),
        }),
        policy: PolicyLines::of(resolved),
        network: if facts.table.rules().is_empty() { NOTHING } else { ROUTES },
        tools: facts.visible.tools.iter().map(|tool| shown(tool.path())).collect(),
        notes: notes(facts),
    }
}

fn model(ProviderHost { host, auth, .. }: &ProviderHost) -> String {
    match auth {
        Some(auth) => format!("{host} [auth:{auth}, {}]", auth.token_ref()),
        None => format!("{host} [no credential]"),
    }
}

fn as_text<S: Serializer>(origin: &Origin, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(origin)
}

fn boundary(boundary: Boundary) -> &'static str {
    match boundary {
        Boundary::None => "none (for tests)",
        Boundary::Namespaces => "the host's kernel: namespaces, seccomp, no capabilities",
        Boundary::UserSpaceKernel => "a kernel in user space (gVisor)",
        Boundary::VirtualMachine => "a virtual machine",
    }
}

fn notes(facts: &Facts<'_>) -> Vec<String> {
    let Planner { resolved, capabilities, .. } = facts.planner;
    let mut notes: Vec<String> = resolved.notes.iter().map(ToString::to_string).collect();
    notes.extend(capabilities.remarks.iter().map(|remark| escape(remark)));
    notes.extend(super::machine::notes(&super::policy_lines::limits(resolved), capabilities.room));
    if !resolved.bottle.git.repos.is_empty() {
        notes.push("git repositories are checked but not served yet: nothing can be pushed to them".to_owned());
    }
    notes
}
