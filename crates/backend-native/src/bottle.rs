use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bottle::{
    Bottle, BottleName, Capabilities, CloseError, CopyError, Exec, ExecError, GuestPath, LimitHit, Output, Process, Stdio, Tree,
    TreeSink, User, environment,
};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Signal, pidfd_send_signal};
use tokio::io::unix::AsyncFd;

use crate::capture::Pipes;
use crate::cgroup::Groups;
use crate::channel::Channel;
use crate::ids::IdPlan;
use crate::process::NativeProcess;
use crate::wire::{self, FromExec, Request, Spawn, StartStep};
use crate::{copy_in, copy_out, sys};

/// How long the kernel may take to end everything in the bottle.
const END_PATIENCE: Duration = Duration::from_secs(30);

/// A bottle made of namespaces, held by the control stream to its PID 1.
pub struct NativeBottle {
    name: BottleName,
    capabilities: Capabilities,
    ids: IdPlan,
    /// `None` once closed.
    control: Mutex<Option<OwnedFd>>,
    init: Arc<AsyncFd<OwnedFd>>,
    groups: Mutex<Groups>,
}

impl NativeBottle {
    /// Takes over a bottle that is ready.
    pub fn new(
        name: BottleName,
        capabilities: Capabilities,
        ids: IdPlan,
        control: OwnedFd,
        init: OwnedFd,
        groups: Groups,
    ) -> io::Result<Self> {
        let init = Arc::new(sys::watch(init, tokio::io::Interest::READABLE)?);
        Ok(Self { name, capabilities, ids, control: Mutex::new(Some(control)), init, groups: Mutex::new(groups) })
    }

    /// PID 1: readable when the bottle is gone.
    pub fn init(&self) -> Arc<AsyncFd<OwnedFd>> {
        Arc::clone(&self.init)
    }

    /// Sends a request with a new exec channel before `fds`. `None` when the bottle is gone.
    fn request(&self, request: &Request, fds: &[BorrowedFd<'_>]) -> io::Result<Option<Channel>> {
        let (channel, theirs) = Channel::new()?;
        let control = self.control.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(control) = control.as_ref() else { return Ok(None) };
        let all: Vec<_> = std::iter::once(theirs.as_fd()).chain(fds.iter().copied()).collect();
        match wire::send_frame(control.as_fd(), request, &all) {
            Ok(()) => Ok(Some(channel)),
            Err(error) if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn start(
        &self,
        exec: &Exec,
        streams: &[BorrowedFd<'_>],
        terminal: Option<(u16, u16)>,
    ) -> Result<(NativeProcess, Option<OwnedFd>), ExecError> {
        let (bottle, program) = (self.name.to_string(), exec.program());
        let failed = |reason: String| ExecError::Failed { bottle: bottle.clone(), program: program.clone(), reason };
        let gone = || ExecError::Gone { bottle: bottle.clone() };
        let folder = exec
            .folder
            .clone()
            .map_or_else(|| exec.user.home().into(), |folder| folder.as_path().as_os_str().as_bytes().to_vec());
        let spawn = Spawn {
            argv: exec.argv.iter().map(|arg| arg.as_bytes().to_vec()).collect(),
            env: environment(exec),
            folder,
            root: exec.user == User::Root,
            terminal,
            deadline: exec.deadline.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
        };
        if spawn.argv.iter().chain(&spawn.env).any(|text| text.contains(&0)) {
            return Err(failed("an argument or variable holds a NUL byte".to_owned()));
        }
        if spawn.argv.first().is_none_or(Vec::is_empty) {
            return Err(failed("there is no program to run".to_owned()));
        }
        // Programs open their streams again by name (/dev/stderr): a pipe of the host's root would be closed to them.
        if let Some(id) = self.ids.host_id(self.name.as_str(), spawn.root) {
            let (uid, gid) = (rustix::process::Uid::from_raw(id), rustix::process::Gid::from_raw(id));
            for stream in streams {
                rustix::fs::fchown(stream, Some(uid), Some(gid)).map_err(|error| failed(error.to_string()))?;
            }
        }
        let channel =
            self.request(&Request::Spawn(spawn), streams).map_err(|error| failed(error.to_string()))?.ok_or_else(gone)?;
        let process = NativeProcess::new(bottle.clone(), program.clone(), channel, exec.deadline, Arc::clone(&self.init));
        let unclaimed = process.kill_on_drop();
        match process.started().await.map_err(|error| failed(error.to_string()))? {
            Some((FromExec::Started, fds)) => {
                unclaimed.defuse();
                Ok((process, fds.into_iter().next()))
            }
            Some((FromExec::NotStarted { step, errno }, _)) => Err(self.not_started(exec, step, errno)),
            Some((
                FromExec::Exited(_) | FromExec::Killed(_) | FromExec::DeadlinePassed | FromExec::Done | FromExec::Failed { .. },
                _,
            )) => Err(failed("the helper spoke out of turn".to_owned())),
            None => Err(gone()),
        }
    }

    fn not_started(&self, exec: &Exec, step: StartStep, errno: i32) -> ExecError {
        let (bottle, program) = (self.name.to_string(), exec.program());
        let reason = match errno {
            libc::EAGAIN => "no more processes may be made in the bottle (limits.pids, or the host's own limit)".to_owned(),
            errno => io::Error::from_raw_os_error(errno).to_string(),
        };
        match step {
            StartStep::Execute if matches!(errno, libc::ENOENT | libc::ENOTDIR) => ExecError::NotFound { bottle, program },
            StartStep::Execute => ExecError::NotRunnable { bottle, program, reason },
            StartStep::Folder => match exec.folder.clone().map_or_else(|| GuestPath::parse(exec.user.home()), Ok) {
                Ok(folder) => ExecError::Folder { bottle, folder, reason },
                Err(error) => ExecError::Failed { bottle, program, reason: error.to_string() },
            },
            StartStep::Prepare => ExecError::Failed { bottle, program, reason },
        }
    }

    fn gone_copy(&self) -> CopyError {
        CopyError::Gone { bottle: self.name.to_string() }
    }

    /// Lets go of the control stream and kills PID 1; the kernel kills the rest.
    fn let_go(&self) {
        let control = self.control.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if control.is_some() {
            let _ = pidfd_send_signal(self.init.get_ref(), Signal::KILL);
        }
    }

    async fn remove_groups(&self) -> Result<(), CloseError> {
        let mut groups = std::mem::take(&mut *self.groups.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        // May wait for a moment, so not on the runtime's own thread. What could not be removed is kept for another try.
        let removing = tokio::task::spawn_blocking(move || {
            let removed = groups.remove();
            (groups, removed)
        });
        let failed = |reason: String| CloseError { bottle: self.name.to_string(), what: "its cgroups".to_owned(), reason };
        let (groups, removed) = removing.await.map_err(|error| failed(error.to_string()))?;
        *self.groups.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = groups;
        removed.map_err(|error| failed(error.to_string()))
    }
}

#[async_trait]
impl Bottle for NativeBottle {
    fn name(&self) -> &BottleName {
        &self.name
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn exec(&self, exec: Exec) -> Result<Output, ExecError> {
        let pipes = Pipes::new().map_err(|error| ExecError::Failed {
            bottle: self.name.to_string(),
            program: exec.program(),
            reason: error.to_string(),
        })?;
        let streams = pipes.theirs.each_ref().map(AsFd::as_fd);
        let (process, _) = self.start(&exec, &streams, None).await?;
        pipes.run(self.name.as_str(), &exec, &process).await
    }

    async fn spawn(&self, exec: Exec, stdio: Stdio) -> Result<Process, ExecError> {
        match stdio {
            Stdio::Streams { stdin, stdout, stderr } => {
                let (process, _) = self.start(&exec, &[stdin.as_fd(), stdout.as_fd(), stderr.as_fd()], None).await?;
                Ok(Process { control: Box::new(process), terminal: None })
            }
            Stdio::Terminal(size) => {
                let (process, terminal) = self.start(&exec, &[], Some((size.rows, size.columns))).await?;
                Ok(Process { control: Box::new(process), terminal })
            }
        }
    }

    async fn cp_in(&self, source: &Tree, into: &GuestPath, owner: User) -> Result<(), CopyError> {
        let request = |unpack, stream: &OwnedFd| self.request(&Request::Unpack(unpack), &[stream.as_fd()]);
        copy_in::run(&self.name, source, into, owner, request, || self.gone_copy()).await
    }

    async fn cp_out(&self, from: &GuestPath, sink: &mut dyn TreeSink) -> Result<(), CopyError> {
        let request = Request::Pack { from: from.as_path().as_os_str().as_bytes().to_vec() };
        let (stream, theirs) = pipe_with(PipeFlags::CLOEXEC)
            .map_err(|error| CopyError::Io { bottle: self.name.to_string(), source: error.into() })?;
        let channel = self.request(&request, &[theirs.as_fd()]);
        drop(theirs);
        let channel = channel.map_err(|source| CopyError::Io { bottle: self.name.to_string(), source })?;
        copy_out::run(&self.name, from, channel.ok_or_else(|| self.gone_copy())?, stream, sink).await
    }

    fn limits_hit(&self) -> Vec<LimitHit> {
        self.groups.lock().unwrap_or_else(std::sync::PoisonError::into_inner).hits()
    }

    async fn close(&self) -> Result<(), CloseError> {
        self.let_go();
        let failed = |reason: String| CloseError { bottle: self.name.to_string(), what: "its processes".to_owned(), reason };
        // A pidfd becomes readable when PID 1 is gone, which the kernel lets happen only after everything below it is
        // (`pid_namespaces(7)`).
        let ended = match tokio::time::timeout(END_PATIENCE, self.init.readable()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed(format!("not gone after {END_PATIENCE:?}"))),
        };
        let removed = self.remove_groups().await;
        ended.and(removed)
    }
}

impl Drop for NativeBottle {
    /// A session that forgot to close, or unwinds: processes never outlive the handle.
    fn drop(&mut self) {
        self.let_go();
    }
}
