use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use super::capture::{self, Capture, Uncaptured};
use super::interrupt::never_block;
use super::job::{Job, Signals};
use super::process::{FakeEvent, Streams};
use super::start::{self, Ended};
use super::terminal::Line;
use super::world::{Recorded, World};
use super::{FakeFiles, copy};
use crate::{
    Bottle, BottleName, Capabilities, CloseError, CopyError, Exec, ExecError, ExitStatus, GuestPath, Output, Process, Running,
    Signal, Stdio, TerminalSize, Tree, TreeSink, User,
};

/// A bottle in memory.
pub struct FakeBottle {
    pub(super) world: Arc<World>,
    pub(super) capabilities: Capabilities,
}

impl FakeBottle {
    /// Its files, to look at from outside.
    pub fn files(&self) -> &FakeFiles {
        &self.world.files
    }

    /// The calls it has got, in order.
    pub fn recorded(&self) -> Vec<Recorded> {
        self.world.recorded()
    }

    fn gone(&self) -> ExecError {
        ExecError::Gone { bottle: self.world.name.to_string() }
    }

    fn start(&self, exec: &Exec, job: &Arc<Job>, streams: Streams) -> Result<FakeRunning, ExecError> {
        self.world.record(Recorded::Ran { argv: exec.argv.clone(), user: exec.user });
        let line = match &streams {
            Streams::Terminal(line) => Arc::downgrade(line),
            Streams::Apart { .. } => std::sync::Weak::new(),
        };
        let (process, program) = start::prepare(&self.world, exec, job.clone(), streams)?;
        let signals = process.signals.clone();
        let ended = start::on_thread(process, program).map_err(|error| self.failed(exec, &error))?;
        let running = FakeRunning {
            bottle: self.world.name.to_string(),
            program: exec.program(),
            job: job.clone(),
            signals,
            line,
            ended,
            deadline: exec.deadline.unwrap_or_default(),
            too_late: Arc::new(AtomicBool::new(false)),
        };
        if exec.deadline.is_some() {
            running.kill_when_late();
        }
        Ok(running)
    }

    fn failed(&self, exec: &Exec, error: &std::io::Error) -> ExecError {
        if self.world.is_closed() {
            return self.gone();
        }
        ExecError::Failed { bottle: self.world.name.to_string(), program: exec.program(), reason: error.to_string() }
    }
}

/// A caller that gives up half way leaves no program running.
struct KillOnDrop<'a>(&'a Job);

impl Drop for KillOnDrop<'_> {
    fn drop(&mut self) {
        self.0.kill();
    }
}

#[async_trait]
impl Bottle for FakeBottle {
    fn name(&self) -> &BottleName {
        &self.world.name
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn exec(&self, exec: Exec) -> Result<Output, ExecError> {
        let job = self.world.new_job().ok_or_else(|| self.gone())?;
        let (capture, ends): (Capture, _) = capture::pipes().map_err(|error| self.failed(&exec, &error))?;
        let streams = apart(ends.stdin, ends.stdout, ends.stderr).map_err(|error| self.failed(&exec, &error))?;
        let running = self.start(&exec, &job, streams)?;
        let unfinished = KillOnDrop(&job);
        let captured = capture.run(&exec.stdin, running.ended.clone()).await;
        if matches!(captured, Err(Uncaptured::TooMuch)) {
            let (bottle, program) = (self.world.name.to_string(), exec.program());
            return Err(ExecError::TooMuchOutput { bottle, program, most: Output::MOST });
        }
        let status = running.wait().await;
        std::mem::forget(unfinished);
        match captured {
            Ok((stdout, stderr)) => Ok(Output { status: status?, stdout, stderr }),
            Err(Uncaptured::Io(error)) => status.and(Err(self.failed(&exec, &error))),
            Err(Uncaptured::TooMuch) => Err(self.gone()),
        }
    }

    async fn spawn(&self, exec: Exec, stdio: Stdio) -> Result<Process, ExecError> {
        let job = self.world.new_job().ok_or_else(|| self.gone())?;
        let (streams, terminal) = match stdio {
            Stdio::Streams { stdin, stdout, stderr } => {
                (apart(stdin, stdout, stderr).map_err(|error| self.failed(&exec, &error))?, None)
            }
            Stdio::Terminal(size) => {
                let (line, callers) = Line::open(size, &job).map_err(|error| self.failed(&exec, &error))?;
                (Streams::Terminal(line), Some(callers))
            }
        };
        let running = self.start(&exec, &job, streams)?;
        Ok(Process { control: Box::new(running), terminal })
    }

    async fn cp_in(&self, source: &Tree, into: &GuestPath, owner: User) -> Result<(), CopyError> {
        let bottle = self.world.name.to_string();
        if self.world.is_closed() {
            return Err(CopyError::Gone { bottle });
        }
        self.world.record(Recorded::CopiedIn { into: into.clone(), owner, members: source.members().len() });
        let (world, source, into) = (self.world.clone(), source.clone(), into.clone());
        let copied = tokio::task::spawn_blocking(move || copy::copy_in(&world, &source, &into, owner)).await;
        copied.map_err(|error| CopyError::Io { bottle, source: error.into() })?
    }

    async fn cp_out(&self, from: &GuestPath, sink: &mut dyn TreeSink) -> Result<(), CopyError> {
        if self.world.is_closed() {
            return Err(CopyError::Gone { bottle: self.world.name.to_string() });
        }
        copy::copy_out(&self.world, from, sink)
    }

    async fn close(&self) -> Result<(), CloseError> {
        for job in self.world.close() {
            job.all_gone().await;
        }
        Ok(())
    }
}

fn apart(stdin: std::os::fd::OwnedFd, stdout: std::os::fd::OwnedFd, stderr: std::os::fd::OwnedFd) -> std::io::Result<Streams> {
    for fd in [&stdin, &stdout, &stderr] {
        never_block(fd)?;
    }
    Ok(Streams::Apart { stdin: Arc::new(stdin), stdout: Arc::new(stdout), stderr: Arc::new(stderr) })
}

struct FakeRunning {
    bottle: String,
    program: String,
    job: Arc<Job>,
    signals: Arc<Signals>,
    line: std::sync::Weak<Line>,
    ended: Ended,
    deadline: Duration,
    too_late: Arc<AtomicBool>,
}

impl FakeRunning {
    /// Waits beside the program; ends with it.
    fn kill_when_late(&self) {
        let (job, deadline, too_late) = (self.job.clone(), self.deadline, self.too_late.clone());
        let mut ended = self.ended.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ended = ended.wait_for(Option::is_some) => {}
                () = tokio::time::sleep(deadline) => {
                    too_late.store(true, Ordering::SeqCst);
                    job.kill();
                }
            }
        });
    }

    fn gone(&self) -> ExecError {
        ExecError::Gone { bottle: self.bottle.clone() }
    }
}

#[async_trait]
impl Running for FakeRunning {
    async fn wait(&self) -> Result<ExitStatus, ExecError> {
        let mut ended = self.ended.clone();
        let status = ended.wait_for(Option::is_some).await.map(|status| *status).map_err(|_thread_gone| self.gone())?;
        let status = status.ok_or_else(|| self.gone())?;
        if self.too_late.load(Ordering::SeqCst) {
            let (bottle, program) = (self.bottle.clone(), self.program.clone());
            // Whoever is told that all was killed must find nothing alive.
            self.job.all_gone().await;
            return Err(ExecError::Deadline { bottle, program, after: self.deadline });
        }
        Ok(status)
    }

    async fn signal(&self, signal: Signal) -> Result<(), ExecError> {
        self.signals.deliver(FakeEvent::Signal(signal.number()));
        Ok(())
    }

    async fn resize(&self, size: TerminalSize) -> Result<(), ExecError> {
        if let Some(line) = self.line.upgrade() {
            line.resize(size);
            self.job.deliver_to_all(FakeEvent::Resized);
        }
        Ok(())
    }

    async fn kill(&self) -> Result<(), ExecError> {
        self.job.kill();
        self.job.all_gone().await;
        Ok(())
    }
}
