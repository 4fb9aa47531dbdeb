//! One file per command.

mod cleanup;
mod completions;
mod demo;
mod doctor;
mod exec;
mod info;
mod list;
mod logs;
mod policy;
mod start;
mod stop;

use std::future::Future;
use std::path::{Path, PathBuf};

use manifest::{Catalogue, Places};
use session::Interrupts;
use store::Identity;

use crate::args::Command;
use crate::failure::{DECLINED, Failure};
use crate::host_env::HostEnvironment;
use crate::question::{Waited, confirm};
use crate::talk;

/// Does what was asked. The status is the process's own.
///
/// # Errors
/// Whatever kept it from being done.
pub fn run(command: Command, host: &HostEnvironment) -> Result<u8, Failure> {
    match command {
        Command::Start(args) => start::run(args, host),
        Command::Exec(args) => exec::run(args, host),
        Command::Stop(args) => stop::run(&args, host),
        Command::List(args) => list::run(&args, host),
        Command::Logs(args) => logs::run(&args, host),
        Command::Info(args) => info::run(&args, host),
        Command::Policy(args) => policy::run(&args, host),
        Command::Cleanup(args) => cleanup::run(&args, host),
        Command::Doctor(args) => doctor::run(&args, host),
        Command::Demo => demo::run(host),
        Command::Completions(args) => completions::run(&args),
    }
}

/// The manifests that can be seen from here.
fn catalogue(host: &HostEnvironment) -> Result<Catalogue, Failure> {
    Catalogue::open(&places(host)?).map_err(|error| {
        let help = error.help();
        Failure::new(error.to_string()).hint(help.trim_end())
    })
}

/// The session that the command line names.
fn identity(name: &str) -> Result<Identity, Failure> {
    Identity::parse(name).map_err(Failure::usage)
}

/// Where manifests are, seen from here.
fn places(host: &HostEnvironment) -> Result<Places, Failure> {
    let repository = host.cwd().map(|cwd| cwd.join(".bot-bottle")).filter(|folder| folder.is_dir());
    let home = host.bot_bottle_home()?;
    // The person's own folder, seen from the home, is no repository's, also where manifests are read from another.
    let own = [Some(home.clone()), host.home().ok().map(|home| home.join(".bot-bottle"))];
    let is_own = |folder: &PathBuf| own.iter().flatten().any(|own| is_same(own, folder));
    let repository = repository.filter(|folder| !is_own(folder));
    Ok(Places { home, repository })
}

/// Whether both are one folder, whatever links lead there.
fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    one == other || real(one) == real(other)
}

/// Runs something that waits for signals, on one thread.
fn with_runtime<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(work);
    // A thread may still be waiting for the person to type.
    runtime.shutdown_background();
    outcome
}

/// What the person decided at a y/N.
enum Decision {
    Go,
    /// Said no, or was interrupted: leave with this status.
    Leave(u8),
}

/// y/N on the terminal. Without one, `otherwise` is the hint.
async fn decide(interrupts: &mut Interrupts, question: &str, otherwise: &str) -> Result<Decision, Failure> {
    match confirm(interrupts, format!("{question} [y/N] ")).await? {
        Waited::Done(Some(true)) => Ok(Decision::Go),
        Waited::Done(Some(false)) => {
            talk::say("aborted");
            Ok(Decision::Leave(DECLINED))
        }
        Waited::Done(None) => Err(Failure::usage("there is no terminal to ask on").hint(otherwise)),
        Waited::Caught(caught) => Ok(Decision::Leave(caught.code())),
    }
}
