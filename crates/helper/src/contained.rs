//! The helper in a container that an engine has made: PID 1, started with the bridge's stream of bytes as stdin and stdout.
//!
//! ```text
//! helper [--processes MOST|any] [--relay PROGRAM ARGUMENT…]
//! helper --machine SOCKET --host-name NAME [--processes MOST] [--quota MICROSECONDS] [--disk BYTES] [--keep PATH…] --relay PROGRAM ARGUMENT…
//! ```
//!
//! The second is the workload of a machine, which makes the bottle's namespaces itself (`machine`). The first option of the first says that the bottle's kernel is its own (gVisor), and how many processes there may be, which the engine cannot count
//! there; the relay is one that runs inside the bottle, where it cannot have a container of its own.
//!
//! The engine has made the namespaces, the root file system and the limits. What is left is what no engine does: a process that
//! starts programs without any capability, watches over them, and ends with the session. Docker's own `exec` would do neither:
//! it has no signals, no end of a tree, only text for arguments and variables, and one number for both kinds of an end.

use std::ffi::CString;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{DumpableBehavior, Gid, Pid, Uid, set_dumpable_behavior};

use crate::beneath;
use crate::bridge::{self, Side};
use crate::family::Families;
use crate::machine::{self, Machine};
use crate::step::{During, StepError};
use crate::sys::{self, Fork};
use crate::wire::Ids;
use crate::{privileges, serve};

/// What the helper says on the stream of bytes before its bridge does: that it serves, and in which version of the language.
pub const HELLO: &[u8] = b"bot-bottle-helper 1\n";

/// The helper's whole life. Returns when the session has ended or the bottle could not be set up.
pub fn run() -> ExitCode {
    match become_init() {
        Ok(()) => ExitCode::SUCCESS,
        Err(StepError { step, reason, .. }) => {
            // The engine hands it to the session as the container's error output.
            let _ = writeln!(io::stderr(), "{step}: {reason}");
            // A machine has no such output: there it comes on the stream itself, on which nothing was said before.
            if std::env::args_os().nth(1).is_some_and(|word| word == "--machine") {
                let _ = writeln!(io::stdout(), "{step}: {reason}");
            }
            ExitCode::FAILURE
        }
    }
}

fn become_init() -> Result<(), StepError> {
    sys::close_from(3).during("closing inherited descriptors")?;
    let Arguments { processes, relay, machine } = Arguments::read().during("reading the arguments")?;
    let in_a_machine = machine.is_some();
    if let Some(machine) = machine {
        machine::enter(&machine)?;
    }
    set_dumpable_behavior(DumpableBehavior::NotDumpable).during("closing the helper to tracing")?;
    homes()?;
    let (control, theirs) =
        socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).during("making the control stream")?;
    let bridge = match sys::fork().during("making the bridge")? {
        Fork::Child => {
            drop(control);
            privileges::become_bridge()?;
            let stream = io::stdin().as_fd().try_clone_to_owned().during("taking stdin")?;
            let out = io::stdout().as_fd().try_clone_to_owned().during("taking stdout")?;
            return bridge::run(Side::Helper, theirs, stream, out).during("talking to the session");
        }
        Fork::Parent(pid) => pid,
    };
    drop(theirs);
    let families = match processes {
        // Linux's own, whoever has made the namespaces.
        _ if in_a_machine => Families::Subreapers,
        None => Families::Subreapers,
        Some(Processes::Any) => Families::of_an_own_kernel(None)?,
        Some(Processes::AtMost(most)) => Families::of_an_own_kernel(Some(most))?,
    };
    let relay = start_relay(if in_a_machine { &[] } else { &relay }).during("starting the relay")?;
    privileges::keep_for_service(Ids::Mapped)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).during("closing the helper to tracing")?;
    let mut helper = serve::Helper::new(Ids::Mapped, None, families)?;
    helper.end_with(bridge);
    if let Some(relay) = relay {
        helper.depend_on(relay);
    }
    say_hello().during("telling the session")?;
    leave_streams(&control).during("leaving the bridge's streams to it")?;
    drop(control);
    helper.serve(io::stdin().as_fd())
}

/// Before the bridge says anything, because that waits to be asked.
fn say_hello() -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(HELLO)?;
    out.flush()
}

/// What the helper was started with.
#[derive(Debug, Default, PartialEq, Eq)]
struct Arguments {
    /// Where the bottle's kernel is its own.
    processes: Option<Processes>,
    /// The relay's command; empty for none.
    relay: Vec<CString>,
    /// Where it is the workload of a machine.
    machine: Option<Machine>,
}

/// How many processes there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Processes {
    Any,
    AtMost(u64),
}

impl Processes {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "any" => Some(Self::Any),
            number => number.parse().ok().map(Self::AtMost),
        }
    }
}

impl Arguments {
    fn read() -> io::Result<Self> {
        let mut read = Self::default();
        let mut words = std::env::args_os().skip(1);
        while let Some(word) = words.next() {
            match word.as_bytes() {
                b"--processes" => {
                    let most = words.next().and_then(|word| word.to_str().and_then(Processes::parse));
                    read.processes = Some(most.ok_or_else(|| io::Error::other("--processes needs a number, or any"))?);
                }
                b"--relay" => {
                    let command: Result<_, _> = words.by_ref().map(|word| CString::new(word.as_bytes())).collect();
                    read.relay = command.map_err(io::Error::other)?;
                }
                b"--machine" => {
                    let control = words.next().ok_or_else(|| io::Error::other("--machine needs the session's socket"))?;
                    read.machine = Some(Machine { control: control.into(), ..Machine::default() });
                }
                b"--host-name" | b"--keep" | b"--quota" | b"--disk" => {
                    let (Some(machine), Some(value)) = (&mut read.machine, words.next()) else {
                        return Err(io::Error::other(format!("{} belongs to --machine and needs a value", word.display())));
                    };
                    let number = || value.to_str().and_then(|text| text.parse().ok());
                    match word.as_bytes() {
                        b"--keep" => machine.keep.push(value.into()),
                        // One that is none would be no limit.
                        b"--quota" => machine.quota = Some(number().ok_or_else(|| io::Error::other("--quota needs a number"))?),
                        b"--disk" => machine.disk = Some(number().ok_or_else(|| io::Error::other("--disk needs a number"))?),
                        _host_name => machine.host_name = value,
                    }
                }
                _other => {
                    return Err(io::Error::other(format!(
                        "{:?} is no option of the helper's (crates/helper/src/contained.rs)",
                        word
                    )));
                }
            }
        }
        if let Some(machine) = &mut read.machine {
            machine.relay.clone_from(&read.relay);
            machine.processes = match read.processes {
                Some(Processes::AtMost(most)) => Some(most),
                Some(Processes::Any) | None => None,
            };
        }
        Ok(read)
    }
}

/// Starts the relay, as a user of its own and without any power: root in the bottle cannot touch it.
fn start_relay(argv: &[CString]) -> io::Result<Option<Pid>> {
    let Some(program) = argv.first() else { return Ok(None) };
    match sys::fork()? {
        Fork::Parent(pid) => Ok(Some(pid)),
        Fork::Child => {
            let error = privileges::become_relay().map_or_else(
                |error| error.reason,
                |()| {
                    // The stream of bytes is not the relay's; what it complains goes where the helper's complaints go.
                    match leave_stdio() {
                        Ok(()) => sys::execve(program, argv, &[]).to_string(),
                        Err(error) => error.to_string(),
                    }
                },
            );
            let _ = writeln!(io::stderr(), "starting the relay: {error}");
            std::process::exit(1)
        }
    }
}

fn leave_stdio() -> io::Result<()> {
    let null = rustix::fs::open("/dev/null", OFlags::RDWR, Mode::empty())?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    sys::close_on_exec_from(3)
}

/// Only the bridge holds the streams: their end is how the session's death is seen. The control stream takes the place of stdin,
/// where those who serve leave it behind.
fn leave_streams(control: &OwnedFd) -> io::Result<()> {
    let null = rustix::fs::open("/dev/null", OFlags::RDWR, Mode::empty())?;
    rustix::stdio::dup2_stdin(control)?;
    rustix::stdio::dup2_stdout(&null)?;
    Ok(())
}

/// What every bottle has and an image may lack. A link where one should be ends it: the image may be hostile, and nothing is made
/// through one.
fn homes() -> Result<(), StepError> {
    for (path, mode, owner) in [("/tmp", 0o1777, 0), ("/home", 0o755, 0), ("/home/node", 0o755, 1000), ("/root", 0o700, 0)] {
        folder(path, mode, owner).during_with(|| format!("making {path}"))?;
    }
    Ok(())
}

fn folder(path: &str, mode: u32, owner: u32) -> io::Result<()> {
    match rustix::fs::mkdir(path, Mode::from_raw_mode(mode)) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let made = beneath::child(rustix::fs::CWD, path)?;
    let (uid, gid) = (Some(Uid::from_raw(owner)), Some(Gid::from_raw(owner)));
    rustix::fs::chownat(&made, "", uid, gid, AtFlags::EMPTY_PATH)?;
    Ok(rustix::fs::fchmod(&made, Mode::from_raw_mode(mode))?)
}
