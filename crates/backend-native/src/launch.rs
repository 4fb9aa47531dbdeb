//! Making a bottle: start the helper, map its ids, put it into its cgroups, wait until it is ready.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use bottle::{BottleName, BottleSpec, ImageSupport, LaunchError, Limits, RootFs};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::Pid;

use crate::backend::NAME;
use crate::cgroup::{Groups, Hierarchy};
use crate::check;
use crate::host_file;
use crate::ids::IdPlan;
use crate::inside::HELPER;
use helper::wire::{self, Progress, Request, Setup};

/// How the helper is started.
#[derive(Debug, Clone)]
pub enum HelperProgram {
    /// This very program, executed again: its `main` calls [`crate::run_helper`] when its name is [`HELPER`].
    Own,
    /// Another program that does so.
    At(PathBuf),
}

/// A bottle that is ready, from the session's side.
pub struct Started {
    /// The session's end of the control stream. Its end is the bottle's end.
    pub control: OwnedFd,
    /// PID 1 of the bottle.
    pub init: OwnedFd,
    /// Ports of the listeners.
    pub ports: Vec<u16>,
    /// TCP listeners, then one UDP socket.
    pub listeners: Vec<OwnedFd>,
    /// The bottle's cgroups.
    pub groups: Groups,
}

/// Makes a bottle. Blocks for some milliseconds. When it fails nothing is left.
pub fn launch(program: &HelperProgram, spec: &BottleSpec, ids: &IdPlan, hierarchy: &Hierarchy) -> Result<Started, LaunchError> {
    let setup = setup(spec, ids)?;
    let failed = |step: &str| {
        let (bottle, step) = (spec.name.to_string(), step.to_owned());
        move |error: io::Error| LaunchError::Failed { bottle, step, reason: error.to_string() }
    };
    let (control, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
        .map_err(|error| failed("making the control stream")(error.into()))?;
    // Before the helper, so that it is dropped after it: cgroups can be removed only when they are empty.
    let mut groups = Groups::default();
    let mut helper = Helper::start(program, theirs).map_err(failed("starting the helper"))?;
    hierarchy.enter(&spec.name, &spec.limits, helper.pid(), &mut groups).map_err(failed("setting limits"))?;
    let prepared = helper.prepare(control, setup, ids, &spec.name);
    let (control, init, ports, listeners) = prepared.map_err(|error| too_little(error, &groups))?;
    Ok(Started { control, init, ports, listeners, groups })
}

/// A bottle that its own limits have kept from being made dies without a word.
fn too_little(error: LaunchError, groups: &Groups) -> LaunchError {
    match (error, groups.hits().first()) {
        (LaunchError::Failed { bottle, step, reason }, Some(hit)) => {
            LaunchError::Failed { bottle, step, reason: format!("{reason} ({hit}; raise it)") }
        }
        (error, _) => error,
    }
}

fn setup(spec: &BottleSpec, ids: &IdPlan) -> Result<Setup, LaunchError> {
    // Said before by the capabilities; a caller that did not ask is told here.
    if let Some(reason) = images().refusal(&spec.root) {
        return Err(LaunchError::Unsupported { backend: NAME, what: "agent_provider.image".to_owned(), reason });
    }
    let image = match &spec.root {
        RootFs::Folder(place) => Some(host_file::told(place)),
        RootFs::Default | RootFs::Archive(_) | RootFs::Image(_) | RootFs::Build(_) => None,
    };
    let tools = spec.tools.iter().map(|tool| host_file::told(&tool.place)).collect();
    Ok(Setup { name: spec.name.to_string(), ids: ids.for_helper(), image, tools, disk: layer(&spec.limits) })
}

/// Bytes of the private layer; `None` for half of the machine's memory. What is written to it counts as the bottle's memory and cannot be
/// reclaimed: without a bound below `limits.memory`, one large file would have everything in the bottle killed.
fn layer(limits: &Limits) -> Option<u64> {
    /// What making a bottle takes, and some room.
    const LEAST: u64 = 16 << 20;
    limits.disk.or(limits.memory.map(|memory| (memory / 2).max(LEAST)))
}

/// What a bottle's file system can be made from.
pub fn images() -> ImageSupport {
    let no = |what: &str, instead: &str| Err(format!("{what} cannot be taken; {instead}, or choose a backend that takes it"));
    ImageSupport {
        default: Ok(()),
        folder: Ok(()),
        archive: no("an archive", "unpack it into a folder and name that"),
        engine: no("an engine's image name", "name a folder that holds a root file system"),
        build: no("a Dockerfile", "name a folder that holds a root file system (agent_provider.image)"),
    }
}

/// The helper process until it has forked PID 1. Dropping it ends what there is so far.
struct Helper {
    child: Child,
}

type Ready = (OwnedFd, OwnedFd, Vec<u16>, Vec<OwnedFd>);

impl Helper {
    #[allow(clippy::disallowed_methods, reason = "this module owns the helper")]
    fn start(program: &HelperProgram, control: OwnedFd) -> io::Result<Self> {
        use std::os::unix::process::CommandExt;
        let program = match program {
            HelperProgram::Own => OsStr::new("/proc/self/exe"),
            HelperProgram::At(path) => path.as_os_str(),
        };
        let mut command = Command::new(program);
        // No argument and no variable: /proc/PID/cmdline and environ tell nothing of the person.
        command.arg0(HELPER).env_clear().current_dir("/");
        command.stdin(Stdio::from(control)).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(|child| Self { child })
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn prepare(&mut self, control: OwnedFd, setup: Setup, ids: &IdPlan, name: &BottleName) -> Result<Ready, LaunchError> {
        let failed = |step: &str, reason: String| LaunchError::Failed { bottle: name.to_string(), step: step.to_owned(), reason };
        let lost = |error: io::Error| failed("talking to the helper", error.to_string());
        let (first, mut setup) = (Request::Enter(setup.ids), Some(Request::Setup(setup)));
        wire::send_frame(control.as_fd(), &first, &[]).map_err(lost)?;
        // The maps come between the two where the helper has to be executed once more; the host's root needs both before it leaves
        // its id.
        if matches!(ids, IdPlan::Single | IdPlan::Root) {
            setup.take().map_or(Ok(()), |setup| wire::send_frame(control.as_fd(), &setup, &[])).map_err(lost)?;
        }
        loop {
            match wire::receive_frame::<Progress>(control.as_fd()).map_err(lost)? {
                Some((Progress::Unshared, _)) => {
                    ids.apply(self.pid(), name.as_str()).map_err(|error| failed("mapping user ids", error.to_string()))?;
                    wire::send_frame(control.as_fd(), &Request::Mapped, &[]).map_err(lost)?;
                    setup.take().map_or(Ok(()), |setup| wire::send_frame(control.as_fd(), &setup, &[])).map_err(lost)?;
                }
                Some((Progress::Ready { ports, .. }, mut fds)) => {
                    if fds.len() != ports.len() + 1 {
                        return Err(failed("talking to the helper", "it handed over too few descriptors".to_owned()));
                    }
                    let init = fds.remove(0);
                    // The helper itself ended when it had forked PID 1.
                    let _ = self.child.wait();
                    return Ok((control, init, ports, fds));
                }
                Some((Progress::Failed { step, errno, reason }, _)) => {
                    return Err(check::explain(&step, errno).map_or_else(|| failed(&step, reason), LaunchError::Unavailable));
                }
                None => return Err(failed("making the bottle", "the helper ended without a word".to_owned())),
            }
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // It may have ended already, and been waited for.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
