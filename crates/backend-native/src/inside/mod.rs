//! What runs in the helper: the process that becomes PID 1 of the bottle.
//!
//! The program executes itself once more under the name [`HELPER`] with an empty environment and its end of the control
//! stream as stdin. The helper has one thread, so it may unshare and fork. Its life:
//!
//! 1. leave the caller's terminal and every descriptor but the control stream;
//! 2. a user namespace, whose ids the session maps ([`namespaces`]); then all others; then its own file once more, from a
//!    read-only mount ([`again`]);
//! 3. fork: the child is PID 1; it builds the root file system ([`rootfs`]), the network ([`network`]), pivots, and gives
//!    up every capability it does not need to serve ([`helper::privileges`]);
//! 4. serve requests until the control stream ends ([`helper::serve`]): when the session dies, however it dies, PID 1 ends and
//!    the kernel kills everything else in the process namespace (`pid_namespaces(7)`).

mod again;
mod dev;
mod etc;
mod host_folders;
mod landlock;
mod lend;
mod mounts;
mod namespaces;
mod netlink;
mod network;
mod proc;
mod rootfs;
mod skeleton;
mod tools;

pub use landlock::is_used as landlock_is_used;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, getuid, set_dumpable_behavior, setsid, umask};

use helper::family::Families;
use helper::step::{During, StepError};
use helper::sys::{self, Fork};
use helper::wire::{self, Request, Setup};
use helper::{privileges, serve};

/// The name (`argv[0]`) under which the program is executed again to become the helper.
pub const HELPER: &str = "bot-bottle-helper";

/// What the host's root has made for the bottle before it left its id. Nothing where the session is somebody else's.
#[derive(Default)]
struct Lent {
    devices: Option<OwnedFd>,
    /// For each tool of the set-up.
    tools: Vec<lend::Loan>,
}

/// The helper's whole life: its exit status, when the bottle has ended or could not be made.
pub fn run() -> u8 {
    let control = io::stdin();
    let control = control.as_fd();
    let is_inside = std::env::args_os().nth(1).is_some_and(|argument| argument == again::INSIDE);
    match if is_inside {
        receive_setup(control).and_then(|setup| become_init(control, &setup, Lent::default()))
    } else {
        enter(control)
    } {
        Ok(()) => 0,
        Err(error) => {
            // The session may be gone too; then nobody is left to tell.
            let _ = wire::send_frame(control, &error.into_progress(), &[]);
            1
        }
    }
}

/// Leaves the host's namespaces.
fn enter(control: BorrowedFd<'_>) -> Result<(), StepError> {
    // Descriptors that a careless parent left open must not reach the bottle (CVE-2024-21626).
    sys::close_from(3).during("closing inherited descriptors")?;
    // A session of its own has no controlling terminal: nothing in the bottle can open the caller's through /dev/tty and
    // push input into it (TIOCSTI), and the caller's Ctrl-C does not reach it.
    setsid().during("leaving the caller's terminal")?;
    // Whatever the caller keeps from others (umask 077): the folders that are made here are for everybody in the bottle.
    umask(Mode::from_raw_mode(0o022));
    // What runs in a bottle is what the host's memory killer should take first, not the person's own programs. Inherited.
    let _ = rustix::fs::open("/proc/self/oom_score_adj", rustix::fs::OFlags::WRONLY, rustix::fs::Mode::empty())
        .and_then(|file| rustix::io::write(&file, b"500"));
    let ids = match wire::receive_frame(control).during("reading how ids are mapped")? {
        Some((Request::Enter(ids), _)) => ids,
        Some(_) | None => return Err(StepError::protocol("the first message does not say how ids are mapped")),
    };
    // The host's root is nobody's id in its bottles: its files, the helper's too, are out of reach there.
    if getuid().is_root() {
        let setup = receive_setup(control)?;
        // What only the host's root can make, while this is it.
        let lent = Lent { devices: Some(dev::own_nodes()?), tools: lend::tools(&setup) };
        namespaces::enter_user(control, ids)?;
        namespaces::enter_others()?;
        return become_init(control, &setup, lent);
    }
    namespaces::enter_user(control, ids)?;
    namespaces::enter_others()?;
    Err(again::from_read_only_mount().err().unwrap_or_else(|| StepError::protocol("the helper was not executed once more")))
}

fn receive_setup(control: BorrowedFd<'_>) -> Result<Setup, StepError> {
    match wire::receive_frame(control).during("reading the set-up")? {
        Some((Request::Setup(setup), _)) => Ok(setup),
        Some(_) | None => Err(StepError::protocol("the second message is no set-up")),
    }
}

/// Forks PID 1. In the parent this returns at once.
fn become_init(control: BorrowedFd<'_>, setup: &Setup, lent: Lent) -> Result<(), StepError> {
    // Host paths are opened while the process still has the person's id, which alone may look into a closed home.
    let sources = rootfs::Sources::open(setup, lent)?;
    match sys::fork().during("making PID 1")? {
        Fork::Parent(_) => return Ok(()),
        Fork::Child => {}
    }
    namespaces::become_root(setup.ids)?;
    rootfs::build(setup, sources)?;
    let listeners = network::prepare()?;
    rustix::system::sethostname(setup.name.as_bytes()).during("setting the host name")?;
    // A new namespace begins with the host's.
    rustix::system::setdomainname(b"(none)").during("setting the domain name")?;
    let node = namespaces::node_namespace(setup.ids)?;
    namespaces::forbid_more()?;
    namespaces::leave_quotas()?;
    proc::seal()?;
    landlock::restrict()?;
    privileges::keep_for_service(setup.ids)?;
    // Nothing in the bottle may ever look into this process: no /proc/1/exe (CVE-2019-5736), no ptrace, no /proc/1/fd. After
    // the last change of user, which may undo it, and before anything of the bottle runs.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).during("closing the helper to tracing")?;
    serve::Helper::new(setup.ids, node, Families::Subreapers)?
        .announce(control, (listeners.ports, listeners.sockets), Vec::new())?
        .serve(control)
}
