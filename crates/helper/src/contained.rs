//! The helper in a container that an engine has made: PID 1, started with the bridge's stream of bytes as stdin and stdout.
//!
//! ```text
//! helper [RELAY ARGUMENT…]
//! ```
//!
//! The arguments are the command of a relay that runs inside the bottle, where it cannot have a container of its own.
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

use crate::bridge::{self, Side};
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
            ExitCode::FAILURE
        }
    }
}

fn become_init() -> Result<(), StepError> {
    sys::close_from(3).during("closing inherited descriptors")?;
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
    let relay = start_relay().during("starting the relay")?;
    privileges::keep_for_service(Ids::Mapped)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).during("closing the helper to tracing")?;
    let helper = serve::Helper::new(Ids::Mapped, None)?;
    helper.depend_on(bridge);
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

/// Starts the relay that the arguments name, as a user of its own and without any power: root in the bottle cannot touch it.
fn start_relay() -> io::Result<Option<Pid>> {
    let argv: Result<Vec<CString>, _> = std::env::args_os().skip(1).map(|text| CString::new(text.as_bytes())).collect();
    let argv = argv.map_err(io::Error::other)?;
    let Some(program) = argv.first() else { return Ok(None) };
    match sys::fork()? {
        Fork::Parent(pid) => Ok(Some(pid)),
        Fork::Child => {
            let error = privileges::become_relay().map_or_else(
                |error| error.reason,
                |()| {
                    // The stream of bytes is not the relay's; what it complains goes where the helper's complaints go.
                    match leave_stdio() {
                        Ok(()) => sys::execve(program, &argv, &[]).to_string(),
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
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made: OwnedFd = rustix::fs::open(path, flags, Mode::empty())?;
    let (uid, gid) = (Some(Uid::from_raw(owner)), Some(Gid::from_raw(owner)));
    rustix::fs::chownat(&made, "", uid, gid, AtFlags::EMPTY_PATH)?;
    Ok(rustix::fs::fchmod(&made, Mode::from_raw_mode(mode))?)
}
