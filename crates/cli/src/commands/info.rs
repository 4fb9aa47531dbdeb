use manifest::Resolved;
use serde::Serialize;
use session::PolicyLines;
use store::escape;

use super::catalogue;
use crate::args;
use crate::failure::Failure;
use crate::host_env::HostEnvironment;
use crate::preflight::Lines;
use crate::talk;

/// What manifests say of one agent, merged: names, never values.
#[derive(Serialize)]
struct Info {
    agent: String,
    file: String,
    origin: String,
    bottles: Vec<String>,
    provider: &'static str,
    command: Vec<String>,
    prompt_bytes: usize,
    skills: Vec<String>,
    #[serde(flatten)]
    policy: PolicyLines,
    supervise: bool,
    tools: Vec<String>,
    workspace_copy: bool,
}

/// `info AGENT`: reads the agent's file and its bottles alone.
pub fn run(args: &args::Info, host: &HostEnvironment) -> Result<u8, Failure> {
    let catalogue = catalogue(host)?;
    let resolved =
        catalogue.resolve(&args.agent, &args.bottles).map_err(|error| Failure::rendered(error.render(talk::style())))?;
    talk::notes(&resolved.notes);
    let info = describe(&resolved);
    if args.json {
        talk::json(&info)?;
    } else {
        talk::data(&render(&info))?;
    }
    Ok(0)
}

fn describe(resolved: &Resolved) -> Info {
    let (agent, bottle) = (&resolved.agent, &resolved.bottle);
    Info {
        agent: agent.name.to_string(),
        file: escape(&agent.file.to_string_lossy()),
        origin: agent.origin.to_string(),
        bottles: resolved.bottles.iter().map(ToString::to_string).collect(),
        provider: bottle.provider.template.as_str(),
        command: bottle.provider.command.iter().map(|word| escape(word)).collect(),
        prompt_bytes: agent.prompt.len(),
        skills: agent.skills.iter().map(ToString::to_string).collect(),
        policy: PolicyLines::of(resolved),
        supervise: bottle.supervise,
        tools: bottle.tools.iter().map(|tool| escape(tool)).collect(),
        workspace_copy: bottle.workspace.copy,
    }
}

fn render(info: &Info) -> String {
    let mut lines = Lines::default();
    lines.one("agent", &info.agent);
    lines.one("file", &format!("{} ({})", info.file, info.origin));
    lines.one("bottle", &info.bottles.join(" + "));
    lines.one("provider", &format!("{} {}", info.provider, info.command.join(" ")));
    lines.one("prompt", &format!("{} bytes", info.prompt_bytes));
    lines.one("skills", &info.skills.join(", "));
    lines.policy(&info.policy);
    lines.many("tools", &info.tools);
    lines.one("workspace", if info.workspace_copy { "a copy of the current folder" } else { "only with --cwd" });
    lines.one("supervise", if info.supervise { "yes" } else { "no" });
    lines.into_text()
}
