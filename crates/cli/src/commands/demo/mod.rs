//! `demo`: a real bottle, and what the agent in it could and could not do.

mod bait;

use std::ffi::OsString;
use std::path::Path;

use agents::Mode;
use manifest::{Catalogue, Places};
use provision::Notice;
use session::{Choices, Ending, Host, Interrupts, Outcome, Planner, Session};
use store::Home;

use self::bait::Bait;
use super::start::{facts, report};
use super::with_runtime;
use crate::failure::{FAILED, Failure};
use crate::host_env::HostEnvironment;
use crate::policy_source::Manifests;
use crate::{backends, talk};

const AGENT: &str = include_str!("../../../../../examples/agents/demo.md");
const BOTTLE: &str = include_str!("../../../../../examples/bottles/demo.md");
const ATTEMPTS: &str = include_str!("attempts.sh");

/// Fails when anything is open.
pub fn run(host: &HostEnvironment) -> Result<u8, Failure> {
    let folder = tempfile::Builder::new().prefix("bot-bottle-demo-").tempdir()?;
    let home = folder.path().join("home");
    write_manifest(&home.join("agents"), AGENT)?;
    write_manifest(&home.join("bottles"), BOTTLE)?;
    let bait = Bait::plant(folder.path())?;
    let host = Host { state: home.clone(), ..facts(host)? };

    talk::say("a bottle is made from examples/agents/demo.md and examples/bottles/demo.md; a hostile agent tries its best:\n");
    let outcome = with_runtime(attempt(&home, &host, &bait))?;
    if !matches!(outcome.ending, Ok(Ending::Agent(_))) {
        // Its records go with its folder: there is nothing to look at later.
        return Ok(report(Outcome { refusals: 0, unrecorded: 0, dropped: 0, ..outcome }, "demo", true));
    }
    let open = outcome.code() != 0;
    talk::data("what the host saw:\n")?;
    let (lines, host_open) = bait.verdict();
    talk::data(&lines)?;
    let (line, unrecorded) = recorded(outcome.refusals);
    talk::data(&line)?;
    if let Err(error) = outcome.undone {
        talk::failure(&Failure::from(error));
        return Ok(FAILED);
    }
    if open || host_open || unrecorded {
        talk::failure(
            &Failure::new("something is open on this machine: see the lines with OPEN above").hint("run 'bot-bottle doctor'"),
        );
        return Ok(FAILED);
    }
    talk::data("\neverything held. The bottle is gone, and with it all that was written in it.\n\n")?;
    talk::data(&manifest::first_steps(&host.home.join(".bot-bottle")))?;
    Ok(0)
}

fn write_manifest(folder: &Path, content: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    std::fs::create_dir_all(folder)?;
    std::fs::File::create_new(folder.join("demo.md"))?.write_all(content.as_bytes())
}

async fn attempt(home: &Path, host: &Host, bait: &Bait) -> Result<Outcome, Failure> {
    let mut interrupts = Interrupts::install()?;
    let backend = backends::default();
    let capabilities = backend.check().await.map_err(|missing| Failure::new(missing.to_string()).hints(missing.hints))?;
    let catalogue = Catalogue::open(&Places { home: home.to_owned(), repository: None })?;
    let resolved = catalogue.resolve("demo", &[]).map_err(|error| Failure::new(error.to_string()))?;
    let mut command: Vec<OsString> = ["sh", "-c", ATTEMPTS, "demo"].map(OsString::from).to_vec();
    command.extend([
        bait.secret().into(),
        bait.port().to_string().into(),
        bait.process().to_string().into(),
        host.home.clone().into(),
    ]);
    let choices = Choices { mode: Mode::Headless, command, ..Choices::default() };
    let plan = Planner { resolved, choices, host, backend: backend.name(), capabilities: &capabilities }.plan()?;
    let mut announce = |_: &Notice<'_>| {};
    let policy = Box::new(Manifests::new(Places { home: home.to_owned(), repository: None }, "demo", &[]));
    let (home, interrupts) = (Home::new(home), &mut interrupts);
    let session = Session {
        plan,
        home,
        backend: &*backend,
        announce: &mut announce,
        interrupts,
        policy,
        at_rest: backends::give_memory_back,
    };
    Ok(session.run().await)
}

/// The line, and whether something is wrong: the script tries the outlet, so a record that is empty was not kept.
fn recorded(refusals: u64) -> (String, bool) {
    match refusals {
        0 => ("  \u{2717} OPEN  no attempt to get out was recorded, though there were some\n".to_owned(), true),
        some => (format!("  \u{2713} held  {some} attempts to get out were refused and recorded\n"), false),
    }
}

#[cfg(test)]
mod tests {
    use super::recorded;

    #[test]
    fn a_record_that_is_empty_is_not_held() {
        let (line, wrong) = recorded(0);
        assert!(wrong && line.contains("OPEN") && !line.contains("held"));
        let (line, wrong) = recorded(3);
        assert!(!wrong && line.contains("held  3 attempts"));
    }
}
