use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Runs a coding agent in a disposable bottle that reaches what you allow, and nothing else.
#[derive(Debug, Parser)]
#[command(name = "bot-bottle", version, disable_help_subcommand = true, arg_required_else_help = true)]
pub struct Cli {
    /// Colour in messages: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub color: Color,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// `exec IDENTITY -- COMMAND…` without any option, which is how programs call it, read by hand: the table of all commands takes
    /// longer to be built than such a command to be run. `None` for everything else.
    pub fn plain(mut words: impl Iterator<Item = OsString>) -> Option<Self> {
        let (_program, exec, identity, end) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let identity = identity.into_string().ok().filter(|identity| !identity.starts_with('-'))?;
        let command: Vec<OsString> = words.collect();
        let is_plain = exec == "exec" && end == "--" && !command.is_empty();
        let exec = Exec { identity, user: ExecUser::Node, command };
        is_plain.then_some(Self { color: Color::Auto, command: Command::Exec(exec) })
    }
}

/// When messages are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start an agent in a new bottle
    Start(Start),
    /// Run a command in a running bottle
    Exec(Exec),
    /// End running sessions
    Stop(Stop),
    /// List agents, bottles or running sessions
    List(List),
    /// Show what a session asked of the network, and what became of it
    Logs(Logs),
    /// Show what an agent's manifests say, merged
    Info(Info),
    /// Show or test what an agent could reach; nothing is started or sent
    Policy(Policy),
    /// Remove what killed sessions left behind
    Cleanup(Cleanup),
    /// Check what this machine can do, and say how to mend what it cannot
    Doctor(Doctor),
    /// Start a bottle and show what the agent in it can and cannot do
    Demo,
    /// Print a completion script for a shell
    Completions(Completions),
}

/// `start`
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: the agent's own; 125 when bot-bottle failed or limits.time passed; 2 for usage; 130 for an interrupt, and when you say no."
)]
pub struct Start {
    /// The agent; without it, choose on the terminal
    pub agent: Option<String>,
    /// Use this bottle instead of the agent's own; several are merged in order
    #[arg(long = "bottle", value_name = "NAME")]
    pub bottles: Vec<String>,
    /// What makes the bottle [default: native, or BOT_BOTTLE_BACKEND]
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,
    /// The runtime of the docker backend's engine [default: BOT_BOTTLE_RUNTIME, or runsc (gVisor) where the engine has it]
    #[arg(long, value_name = "NAME")]
    pub runtime: Option<String>,
    /// Copy the current folder into the bottle as its workspace
    #[arg(long)]
    pub cwd: bool,
    /// No terminal: relay stdin, stdout and stderr
    #[arg(long)]
    pub headless: bool,
    /// The agent's first message
    #[arg(long, value_name = "TEXT", conflicts_with = "command")]
    pub prompt: Option<String>,
    /// Name of the session, instead of AGENT-RANDOM
    #[arg(long, value_name = "NAME")]
    pub label: Option<String>,
    /// Show what would be done, and do nothing [also: BOT_BOTTLE_DRY_RUN=1]
    #[arg(long)]
    pub dry_run: bool,
    /// How a dry run is shown
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Run this in the bottle instead of the agent
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// How a dry run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, on stderr
    Text,
    /// For programs, on stdout
    Json,
}

/// `exec`
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: the command's own; 125 when bot-bottle failed or the session ended first; 2 for usage; 130 for an interrupt."
)]
pub struct Exec {
    /// The session
    pub identity: String,
    /// Who runs it
    #[arg(long, value_name = "USER", default_value = "node")]
    pub user: ExecUser,
    /// Program and arguments
    #[arg(last = true, value_name = "COMMAND", required = true)]
    pub command: Vec<OsString>,
}

/// Who runs a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExecUser {
    /// The bottle's own root, which has no power outside it
    Root,
    /// The agent's user
    Node,
}

/// `stop`
#[derive(Debug, Args)]
pub struct Stop {
    /// The sessions
    #[arg(required_unless_present = "all", value_name = "IDENTITY")]
    pub identities: Vec<String>,
    /// Every running session
    #[arg(long, conflicts_with = "identities")]
    pub all: bool,
}

/// `list`
#[derive(Debug, Args)]
pub struct List {
    /// What to list
    #[arg(default_value = "agents")]
    pub what: Listing,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// What to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Listing {
    /// Agents that can be started
    Agents,
    /// Bottles that are defined
    Bottles,
    /// Sessions that run
    Active,
}

/// `logs`
#[derive(Debug, Args)]
pub struct Logs {
    /// The session; it may have ended
    pub identity: String,
    /// Requests and connections: all there is so far, and the default
    #[arg(long)]
    pub egress: bool,
    /// Go on until the session ends
    #[arg(long, short)]
    pub follow: bool,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `info`
#[derive(Debug, Args)]
pub struct Info {
    /// The agent
    pub agent: String,
    /// Use this bottle instead of the agent's own; several are merged in order
    #[arg(long = "bottle", value_name = "NAME")]
    pub bottles: Vec<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `policy`
#[derive(Debug, Args)]
pub struct Policy {
    /// What to do.
    #[command(subcommand)]
    pub command: PolicyCommand,
}

/// What to do with a policy.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Show what would become of a request, and by which rule of which file
    Explain(Explain),
    /// Check a file of expectations
    Test(PolicyTest),
    /// Have a running session read its manifests again; what is wrong with them changes nothing
    Reload(PolicyReload),
}

/// `policy explain`
#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 when it would pass, 1 when it would be refused, 2 for usage, 125 for broken manifests.")]
pub struct Explain {
    /// The agent
    pub agent: String,
    /// Where the request goes: https://HOST/PATH
    pub url: String,
    /// The method, as it is sent
    #[arg(long, short = 'X', value_name = "METHOD", default_value = "GET")]
    pub method: String,
    /// A header that is sent; may be repeated
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// Use this bottle instead of the agent's own; several are merged in order
    #[arg(long = "bottle", value_name = "NAME")]
    pub bottles: Vec<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `policy reload`
#[derive(Debug, Args)]
pub struct PolicyReload {
    /// The session
    pub identity: String,
}

/// `policy test`
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 when all cases are as expected, 1 when some are not, 2 for usage or a broken file, 125 for broken manifests."
)]
pub struct PolicyTest {
    /// A YAML file: agent, bottles, and cases of url, method, headers and expect
    pub file: PathBuf,
}

/// `cleanup`
#[derive(Debug, Args)]
pub struct Cleanup {
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// `doctor`
#[derive(Debug, Args)]
pub struct Doctor {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::Parser as _;

    use super::Cli;

    #[test]
    fn what_is_read_by_hand_is_what_the_table_reads() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        for line in ["b exec s -- true", "b exec s -- sh -c x --", "b exec a-1 -- --help", "b exec s -- -x -- y"] {
            let (by_hand, table) = (Cli::plain(words(line).into_iter()), Cli::try_parse_from(words(line)));
            assert_eq!(format!("{:?}", by_hand.unwrap()), format!("{:?}", table.unwrap()), "{line}");
        }
        for line in [
            "b",
            "b exec",
            "b exec s",
            "b exec s --",
            "b exec s true",
            "b exec --user root s -- true",
            "b exec -x -- true",
            "b start s -- true",
            "b exec s --user root -- true",
        ] {
            assert!(Cli::plain(words(line).into_iter()).is_none(), "{line}");
        }
    }
}
