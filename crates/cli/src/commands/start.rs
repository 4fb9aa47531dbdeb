use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use agents::Mode;
use manifest::Catalogue;
use provision::Notice;
use session::terminal::Wanted;
use session::{Caught, Choices, Ending, Host, Interrupts, Outcome, Plan, Planner, Session};
use store::{Home, Identity};

use super::{Decision, catalogue, decide, places, policy, with_runtime};
use crate::args::{Format, Start};
use crate::failure::{DECLINED, Failure, INTERRUPTED};
use crate::host_env::HostEnvironment;
use crate::picker::{Picked, pick};
use crate::policy_source::Manifests;
use crate::preflight::render;
use crate::question::{Waited, line, wait};
use crate::{backends, talk};

/// `start [AGENT]`
pub fn run(args: Start, host: &HostEnvironment) -> Result<u8, Failure> {
    let dry_run = host.dry_run()? || args.dry_run;
    if args.format == Format::Json && !dry_run {
        return Err(Failure::usage("--format json is for a dry run").hint("add --dry-run"));
    }
    let label = args.label.as_deref().map(label).transpose()?;
    let catalogue = catalogue(host)?;
    talk::notes(catalogue.notes());
    if !args.headless && !dry_run {
        terminal_for_the_agent()?;
    }
    with_runtime(async {
        let mut interrupts = Interrupts::install()?;
        let agent = match &args.agent {
            Some(agent) => agent.clone(),
            None => match choose(&catalogue, &mut interrupts).await? {
                Chosen::Agent(agent) => agent,
                Chosen::Leave(code) => return Ok(code),
            },
        };
        start(&args, label, &agent, dry_run, &catalogue, host, &mut interrupts).await
    })
}

fn label(text: &str) -> Result<Identity, Failure> {
    Identity::parse(text).map_err(|error| Failure::usage(format!("--label: {error}")))
}

/// Before anything is asked: an agent that cannot run is not worth a question.
fn terminal_for_the_agent() -> Result<(), Failure> {
    let missing = match (io::stdin().is_terminal(), io::stdout().is_terminal()) {
        (true, true) => return Ok(()),
        (false, true) => "stdin is not a terminal",
        (true, false) => "stdout is not a terminal",
        (false, false) => "stdin and stdout are not a terminal",
    };
    let failure = Failure::usage(format!("{missing}, so there is none for the agent to run on"));
    Err(failure.hint("add --headless to run it without a terminal"))
}

async fn start(
    args: &Start,
    label: Option<Identity>,
    agent: &str,
    dry_run: bool,
    catalogue: &Catalogue,
    host: &HostEnvironment,
    interrupts: &mut Interrupts,
) -> Result<u8, Failure> {
    let resolved = catalogue.resolve(agent, &args.bottles).map_err(|error| Failure::rendered(error.render(talk::style())))?;
    let backend = backends::choose(args.backend.as_deref(), args.runtime.as_deref(), host)?;
    // Where a person decides, they know before that whether it can run. Where nobody does, the launch comes at once.
    let is_decided = args.yes && args.headless && !dry_run;
    let check = if is_decided { backend.check_to_launch() } else { backend.check() };
    let capabilities = tokio::select! {
        checked = check => checked.map_err(|missing| Failure::new(missing.to_string()).hints(missing.hints))?,
        caught = interrupts.next() => return Ok(caught.code()),
    };
    let facts = facts(host)?;
    let home = Home::new(facts.state.clone());
    let workspace = if args.cwd || resolved.bottle.workspace.copy { Some(cwd(host)?) } else { None };
    let choices = Choices {
        workspace,
        mode: if args.headless { Mode::Headless } else { Mode::Interactive },
        prompt: args.prompt.clone(),
        label,
        command: args.command.clone(),
    };
    let name = backend.name();
    // Off this thread: a large workspace takes a while to be counted, and signals are to be heard meanwhile.
    let planning =
        wait(interrupts, move || Planner { resolved, choices, host: &facts, backend: name, capabilities: &capabilities }.plan());
    let plan = match planning.await? {
        Waited::Done(plan) => plan?,
        Waited::Caught(caught) => return Ok(caught.code()),
    };

    if args.format == Format::Json {
        talk::json(plan.preflight())?;
        return Ok(0);
    }
    talk::say(render(plan.preflight()).trim_end());
    if dry_run {
        return Ok(0);
    }
    if !args.yes {
        match decide(interrupts, "start?", "read the lines above, then add --yes").await? {
            Decision::Go => {}
            Decision::Leave(code) => return Ok(code),
        }
    }
    let plan = match ask(plan, interrupts).await? {
        Ok(plan) => plan,
        Err(caught) => return Ok(caught.code()),
    };
    let identity = plan.identity().to_string();
    let mut announce = |notice: &Notice<'_>| talk::say(&notice.to_string());
    let policy = Box::new(Manifests::new(places(host)?, agent, &args.bottles));
    let session = Session {
        plan,
        home,
        backend: &*backend,
        announce: &mut announce,
        interrupts,
        policy,
        at_rest: backends::give_memory_back,
    };
    let outcome = session.run().await;
    Ok(report(outcome, &identity, args.headless))
}

/// What the planner needs of the host.
pub fn facts(host: &HostEnvironment) -> Result<Host, Failure> {
    Ok(Host {
        env: host.all(),
        home: host.home()?.to_owned(),
        path: host.path(),
        state: host.bot_bottle_home()?,
        guest_skills: host.guest_skills(),
    })
}

fn cwd(host: &HostEnvironment) -> Result<PathBuf, Failure> {
    let gone = || Failure::new("cannot copy the current folder: it does not exist any more").hint("change to another folder");
    host.cwd().map(PathBuf::from).ok_or_else(gone)
}

enum Chosen {
    Agent(String),
    Leave(u8),
}

async fn choose(catalogue: &Catalogue, interrupts: &mut Interrupts) -> Result<Chosen, Failure> {
    let rows: Vec<(String, String)> =
        catalogue.agents().map(|entry| (entry.name.to_string(), entry.origin.to_string())).collect();
    if rows.is_empty() {
        return Err(Failure::new("there are no agents").hint("write one; 'bot-bottle demo' shows how"));
    }
    let names: Vec<String> = rows.iter().map(|(name, _)| name.clone()).collect();
    match wait(interrupts, move || pick("agent:", &rows)).await? {
        Waited::Caught(caught) => Ok(Chosen::Leave(caught.code())),
        Waited::Done(picked) => match picked? {
            Picked::Row(row) => Ok(Chosen::Agent(names[row].clone())),
            Picked::Nothing => Ok(Chosen::Leave(DECLINED)),
            Picked::Interrupted => Ok(Chosen::Leave(INTERRUPTED)),
            Picked::NoTerminal => {
                let failure = Failure::usage("which agent? there is no terminal to choose on");
                Err(failure.hint(format!("name one of: {}", names.join(", "))))
            }
        },
    }
}

/// Asks for everything that has to be asked, unseen.
async fn ask(mut plan: Plan, interrupts: &mut Interrupts) -> Result<Result<Plan, Caught>, Failure> {
    for ask in plan.asks().to_vec() {
        let text = match &ask.message {
            Some(message) => format!("{} ({}): ", store::escape(message), ask.name),
            None => format!("{}: ", ask.name),
        };
        let typed = loop {
            match line(interrupts, text.clone(), Wanted::Secret).await {
                Ok(Waited::Done(Some(value))) if value.is_empty() => {
                    talk::note(&format!("{} cannot be empty; Ctrl-C leaves", ask.name));
                }
                Ok(typed) => break typed,
                Err(failure) => {
                    let how = format!("set a variable, say MINE, and write '{}: ${{MINE}}' in the bottle", ask.name);
                    return Err(failure.hint(how));
                }
            }
        };
        match typed {
            Waited::Done(Some(value)) => plan.answer(&ask.name, value),
            Waited::Caught(caught) => return Ok(Err(caught)),
            Waited::Done(None) => {
                let failure = Failure::usage(format!("env.{} has to be asked for, and there is no terminal to ask on", ask.name));
                return Err(failure.hint(format!(
                    "start it on a terminal, or write '{}: ${{{}}}' in the bottle and set it",
                    ask.name, ask.name
                )));
            }
        }
    }
    Ok(Ok(plan))
}

/// Says how it ended. A headless run is quiet unless something went wrong: its stderr is the agent's.
pub fn report(outcome: Outcome, identity: &str, headless: bool) -> u8 {
    let code = outcome.code();
    match &outcome.ending {
        Ok(Ending::Agent(_)) if headless => {}
        Ok(Ending::Agent(status)) => talk::say(&format!("session {identity} ended (exit {})", status.code())),
        Ok(Ending::Caught(caught)) => talk::say(&format!("session {identity} ended by {}", name(*caught))),
        Ok(Ending::TimeLimit(limit)) => {
            let failure = Failure::new(format!("session {identity} was ended: limits.time of {} s has passed", limit.as_secs()));
            talk::failure(&failure.hint("raise limits.time in the bottle"));
        }
        Err(_) => {}
    }
    if let Some(error) = &outcome.late {
        talk::note(&format!("the launch that was interrupted failed: {error}"));
    }
    for hit in &outcome.limits_hit {
        talk::note(&hit.to_string());
    }
    for reload in &outcome.reloads {
        match reload {
            Ok(reloaded) => {
                talk::note(&format!("the policy was read anew while it ran: {reloaded}"));
                policy::note_later(reloaded, identity);
            }
            Err(why) => talk::note(&format!("the policy could not be read anew, and stayed as it was: {why}")),
        }
    }
    for why in &outcome.lacking {
        talk::note(&format!("a credential could not be had while it ran: {why}"));
    }
    if outcome.refusals > 0 {
        let things = if outcome.refusals == 1 { "thing was" } else { "things were" };
        talk::say(&format!("{} {things} refused: see 'bot-bottle logs {identity}'", outcome.refusals));
    }
    if outcome.unrecorded > 0 {
        talk::note(&format!(
            "recording stopped before the end: {} of these are not in {} (it is full, or could not be written)",
            outcome.unrecorded,
            store::escape(&outcome.audit.to_string_lossy())
        ));
    }
    if outcome.dropped > 0 {
        talk::note(&format!(
            "{} records of what passed were dropped to make room for later ones: the first and the latest are kept",
            outcome.dropped
        ));
    }
    if let Err(error) = outcome.ending {
        talk::failure(&explain(error));
    }
    if let Err(error) = outcome.undone {
        talk::failure(&Failure::from(error).hint("run 'bot-bottle cleanup'"));
    }
    code
}

fn explain(error: session::SessionError) -> Failure {
    use session::SessionError as E;
    match error {
        E::Credentials(missing) => {
            let hints: Vec<String> = missing.iter().map(|missing| missing.hint.clone()).collect();
            Failure::from(E::Credentials(missing)).hints(hints)
        }
        error @ E::Record(_) => Failure::from(error)
            .hint("make 'audit' in BOT_BOTTLE_HOME (~/.bot-bottle) a folder of your own, on a disk that has room"),
        E::Launch(bottle::LaunchError::Unavailable(missing)) => Failure::new(missing.to_string()).hints(missing.hints),
        E::Store(error @ store::StoreError::Taken { live: false, .. }) => {
            Failure::from(error).hint("run 'bot-bottle cleanup', or choose another label")
        }
        E::Store(error @ store::StoreError::Taken { live: true, .. }) => Failure::from(error).hint("choose another label"),
        other => Failure::from(other),
    }
}

fn name(caught: Caught) -> String {
    let name = match caught {
        Caught::Stop => "'bot-bottle stop'",
        Caught::Signal(bottle::Signal::Interrupt) => "an interrupt",
        Caught::Signal(bottle::Signal::Terminate) => "SIGTERM",
        Caught::Signal(bottle::Signal::Hangup) => "SIGHUP",
        Caught::Signal(bottle::Signal::Quit) => "SIGQUIT",
        Caught::Signal(bottle::Signal::Kill) => "SIGKILL",
        Caught::Other(number) => return format!("signal {number}"),
    };
    name.to_owned()
}
