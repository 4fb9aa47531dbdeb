use agents::Template;
use agents::credentials::{Moved, Private};
use agents::find::{Shell, find};
use bottle::LimitSupport;
use serde::Serialize;
use store::escape;

use super::with_runtime;
use crate::args::Doctor;
use crate::backends;
use crate::failure::{FAILED, Failure};
use crate::host_env::HostEnvironment;
use crate::talk;

#[derive(Serialize)]
struct Report {
    version: &'static str,
    kernel: String,
    home: String,
    home_exists: bool,
    backends: Vec<BackendReport>,
    programs: Vec<ProgramReport>,
}

#[derive(Serialize)]
struct BackendReport {
    name: String,
    works: bool,
    missing: Option<String>,
    remedies: Vec<String>,
    remarks: Vec<String>,
}

#[derive(Serialize)]
struct ProgramReport {
    name: &'static str,
    found: Option<String>,
    problem: Option<String>,
}

/// `doctor`: fails when no backend works.
pub fn run(args: &Doctor, host: &HostEnvironment) -> Result<u8, Failure> {
    let home = host.bot_bottle_home()?;
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
        home_exists: home.is_dir(),
        home: escape(&home.to_string_lossy()),
        backends: with_runtime(check_backends(host))?,
        programs: [Template::Claude, Template::Codex]
            .into_iter()
            .map(|template| program(template, host))
            .collect::<Result<_, _>>()?,
    };
    if args.json {
        talk::json(&report)?;
    } else {
        talk::data(&render(&report))?;
    }
    Ok(if report.backends.iter().any(|backend| backend.works) { 0 } else { FAILED })
}

async fn check_backends(host: &HostEnvironment) -> Result<Vec<BackendReport>, Failure> {
    let mut reports = Vec::new();
    for backend in backends::all(host)? {
        let name = backend.name().to_string();
        reports.push(match backend.check().await {
            Ok(capabilities) => {
                let mut remarks = capabilities.remarks;
                remarks.extend(limits(&capabilities.limits));
                BackendReport { name, works: true, missing: None, remedies: Vec::new(), remarks }
            }
            Err(unavailable) => BackendReport {
                name,
                works: false,
                missing: Some(unavailable.missing),
                remedies: unavailable.hints,
                remarks: Vec::new(),
            },
        });
    }
    Ok(reports)
}

fn limits(support: &LimitSupport) -> Vec<String> {
    let all = [("memory", &support.memory), ("cpus", &support.cpus), ("pids", &support.pids), ("disk", &support.disk)];
    let refused = all.into_iter().filter_map(|(name, support)| Some((name, support.as_ref().err()?)));
    refused.map(|(name, why)| format!("limits.{name} is refused: {why}")).collect()
}

fn program(template: Template, host: &HostEnvironment) -> Result<ProgramReport, Failure> {
    let name = template.name();
    let (path, state, env) = (host.path(), host.bot_bottle_home()?, host.all());
    let moved = Moved::by(|name| env.plain(name));
    let private = Private { home: host.home()?, state: &state, moved: &moved };
    Ok(match find(name.as_ref(), Shell { path: &path, private }) {
        Ok(found) => ProgramReport { name, found: Some(escape(&found.found_at.to_string_lossy())), problem: None },
        Err(error) => ProgramReport { name, found: None, problem: Some(error.to_string()) },
    })
}

fn render(report: &Report) -> String {
    let mut lines = vec![
        format!("bot-bottle {} on Linux {}", report.version, escape(&report.kernel)),
        format!("home {}{}", report.home, if report.home_exists { "" } else { "  (not there yet)" }),
    ];
    for backend in &report.backends {
        match &backend.missing {
            None => lines.push(format!("backend {}: works", backend.name)),
            Some(missing) => lines.push(format!("backend {}: does not work here: {missing}", backend.name)),
        }
        lines.extend(backend.remedies.iter().map(|remedy| format!("  hint: {remedy}")));
        lines.extend(backend.remarks.iter().map(|remark| format!("  note: {}", escape(remark))));
    }
    for program in &report.programs {
        match (&program.found, &program.problem) {
            (Some(found), _) => lines.push(format!("program {}: {found}", program.name)),
            (None, problem) => lines.push(format!("program {}: {}", program.name, problem.as_deref().unwrap_or("not found"))),
        }
    }
    lines.join("\n") + "\n"
}
