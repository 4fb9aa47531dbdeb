use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use bottle::{BottleName, CopyError, Exec, ExecError, GuestPath, Output, Process, Stdio, Tree, TreeSink, User, environment};
use rustix::pipe::{PipeFlags, pipe_with};

use super::capture::Pipes;
use super::channel::Channel;
use super::control::Control;
use super::life::Life;
use super::process::ServedProcess;
use super::{copy_in, copy_out};
use crate::wire::{FromExec, Request, Spawn, StartStep};

/// Gives the host's id behind a user of the bottle, where a program's streams must be handed over to it.
pub type Owner = Box<dyn Fn(User) -> Option<u32> + Send + Sync>;

/// A bottle that a helper serves: all of the contract but how it is made and freed.
pub struct Served {
    name: BottleName,
    control: Arc<Control>,
    owner: Owner,
}

impl Served {
    /// Takes over a helper that serves on the other end of `control`.
    pub fn new(name: BottleName, control: OwnedFd, life: Arc<Life>, owner: Owner) -> Self {
        Self { name, control: Arc::new(Control::new(control, life)), owner }
    }

    /// The bottle's name.
    pub fn name(&self) -> &BottleName {
        &self.name
    }

    /// The bottle's life.
    pub fn life(&self) -> &Arc<Life> {
        self.control.life()
    }

    /// As [`bottle::Bottle::exec`].
    ///
    /// # Errors
    /// The same.
    pub async fn exec(&self, exec: Exec) -> Result<Output, ExecError> {
        let pipes = Pipes::new().map_err(|error| ExecError::Failed {
            bottle: self.name.to_string(),
            program: exec.program(),
            reason: error.to_string(),
        })?;
        let streams = pipes.theirs.each_ref().map(AsFd::as_fd);
        let (process, _) = self.start(&exec, &streams, None).await?;
        pipes.run(self.name.as_str(), &exec, &process).await
    }

    /// As [`bottle::Bottle::spawn`].
    ///
    /// # Errors
    /// The same.
    pub async fn spawn(&self, exec: Exec, stdio: Stdio) -> Result<Process, ExecError> {
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

    /// As [`bottle::Bottle::cp_in`].
    ///
    /// # Errors
    /// The same.
    pub async fn cp_in(&self, source: &Tree, into: &GuestPath, owner: User) -> Result<(), CopyError> {
        let request = |unpack, stream: &OwnedFd| self.request(&Request::Unpack(unpack), &[stream.as_fd()]);
        self.explained(copy_in::run(&self.name, source, into, owner, request, || self.gone_copy()).await).await
    }

    /// As [`bottle::Bottle::cp_out`].
    ///
    /// # Errors
    /// The same.
    pub async fn cp_out(&self, from: &GuestPath, sink: &mut dyn TreeSink) -> Result<(), CopyError> {
        let request = Request::Pack { from: from.as_path().as_os_str().as_bytes().to_vec() };
        let (stream, theirs) = pipe_with(PipeFlags::CLOEXEC)
            .map_err(|error| CopyError::Io { bottle: self.name.to_string(), source: error.into() })?;
        let channel = self.request(&request, &[theirs.as_fd()]);
        drop(theirs);
        let channel = channel.map_err(|source| CopyError::Io { bottle: self.name.to_string(), source })?;
        let copied = match channel {
            Some(channel) => copy_out::run(&self.name, from, channel, stream, sink).await,
            None => Err(self.gone_copy()),
        };
        self.explained(copied).await
    }

    /// Lets go of the control stream, which ends PID 1, and makes sure of it; the kernel kills the rest.
    pub fn let_go(&self) {
        self.control.let_go();
    }

    /// Sends a request with a new exec channel before `fds`. `None` when the bottle is gone.
    fn request(&self, request: &Request, fds: &[BorrowedFd<'_>]) -> io::Result<Option<Channel>> {
        let (channel, theirs) = Channel::new()?;
        let all: Vec<_> = std::iter::once(theirs.as_fd()).chain(fds.iter().copied()).collect();
        Ok(self.control.send(request, &all)?.then_some(channel))
    }

    async fn start(
        &self,
        exec: &Exec,
        streams: &[BorrowedFd<'_>],
        terminal: Option<(u16, u16)>,
    ) -> Result<(ServedProcess, Option<OwnedFd>), ExecError> {
        let (bottle, program) = (self.name.to_string(), exec.program());
        let failed = |reason: String| ExecError::Failed { bottle: bottle.clone(), program: program.clone(), reason };
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
        if let Some(id) = (self.owner)(exec.user) {
            let (uid, gid) = (rustix::process::Uid::from_raw(id), rustix::process::Gid::from_raw(id));
            for stream in streams {
                rustix::fs::fchown(stream, Some(uid), Some(gid)).map_err(|error| failed(error.to_string()))?;
            }
        }
        let channel = self.request(&Request::Spawn(spawn), streams).map_err(|error| failed(error.to_string()))?;
        let Some(channel) = channel else { return Err(self.control.no_exec(&bottle).await) };
        let process = ServedProcess::new(bottle.clone(), program.clone(), channel, exec.deadline, Arc::clone(&self.control));
        let unclaimed = process.kill_on_drop();
        match process.started().await.map_err(|error| failed(error.to_string()))? {
            Some((FromExec::Started, fds)) => {
                unclaimed.defuse();
                Ok((process, fds.into_iter().next()))
            }
            Some((FromExec::NotStarted { step, errno }, _)) => Err(self.not_started(exec, step, errno)),
            // Before the program began.
            Some((FromExec::DeadlinePassed, _)) => match exec.deadline {
                Some(after) => Err(ExecError::Deadline { bottle, program, after }),
                None => Err(failed("the helper spoke of a deadline that was not set".to_owned())),
            },
            Some((FromExec::Exited(_) | FromExec::Killed(_) | FromExec::Done | FromExec::Failed { .. }, _)) => {
                Err(failed("the helper spoke out of turn".to_owned()))
            }
            None => Err(self.control.no_exec(&bottle).await),
        }
    }

    fn not_started(&self, exec: &Exec, step: StartStep, errno: i32) -> ExecError {
        let (bottle, program) = (self.name.to_string(), exec.program());
        let reason = match errno {
            libc::EAGAIN => "no more processes may be made in the bottle (limits.pids, or the host's own limit)".to_owned(),
            libc::ECANCELED => "something in the bottle stopped it before it began".to_owned(),
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

    /// A bottle that is gone, with the reason if it gave one.
    async fn explained<T>(&self, copied: Result<T, CopyError>) -> Result<T, CopyError> {
        match copied {
            Err(CopyError::Gone { bottle }) => Err(self.control.no_copy(&bottle).await),
            copied => copied,
        }
    }

    fn gone_copy(&self) -> CopyError {
        CopyError::Gone { bottle: self.name.to_string() }
    }
}

impl Drop for Served {
    /// A session that forgot to close, or unwinds: processes never outlive the handle.
    fn drop(&mut self) {
        self.let_go();
    }
}
