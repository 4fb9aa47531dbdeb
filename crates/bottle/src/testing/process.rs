use std::ffi::OsString;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::event::PollFlags;

use super::job::{Job, Signals};
use super::network::FakeStream;
use super::start;
use super::terminal::Line;
use super::world::World;
use super::{FakeFiles, network};
use crate::{GuestPath, TerminalSize, User};

/// What a program in a fake bottle sees and does: its arguments, environment, streams, files, children and network.
///
/// Every call that waits fails when the process is killed; the program should then return.
pub struct FakeProcess {
    /// Program and arguments.
    pub argv: Vec<OsString>,
    /// The whole environment.
    pub env: Vec<(OsString, Vec<u8>)>,
    /// Who runs it.
    pub user: User,
    /// Working folder.
    pub folder: GuestPath,
    pub(super) streams: Streams,
    pub(super) signals: Arc<Signals>,
    pub(super) job: Arc<Job>,
    pub(super) world: Arc<World>,
}

/// What happens to a process from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FakeEvent {
    /// A signal, by number.
    Signal(u8),
    /// Its terminal has a new size.
    Resized,
}

/// Where a process reads and writes; shared with its children.
#[derive(Clone)]
pub(super) enum Streams {
    Apart { stdin: Arc<OwnedFd>, stdout: Arc<OwnedFd>, stderr: Arc<OwnedFd> },
    Terminal(Arc<Line>),
}

impl FakeProcess {
    /// Reads from stdin; 0 at its end.
    ///
    /// # Errors
    /// When the process is killed.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.streams {
            Streams::Apart { stdin, .. } => self.signals.killed.read(stdin.as_fd(), buffer),
            Streams::Terminal(line) => line.read(&self.signals.killed, buffer),
        }
    }

    /// Writes all of `bytes` to stdout.
    ///
    /// # Errors
    /// When the process is killed or nobody reads.
    pub fn write_stdout(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &self.streams {
            Streams::Apart { stdout, .. } => self.signals.killed.write_all(stdout.as_fd(), bytes),
            Streams::Terminal(line) => line.write(&self.signals.killed, bytes),
        }
    }

    /// Writes all of `bytes` to stderr.
    ///
    /// # Errors
    /// When the process is killed or nobody reads.
    pub fn write_stderr(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &self.streams {
            Streams::Apart { stderr, .. } => self.signals.killed.write_all(stderr.as_fd(), bytes),
            Streams::Terminal(line) => line.write(&self.signals.killed, bytes),
        }
    }

    /// Its terminal, when it has one.
    pub fn terminal(&self) -> Option<FakeTerminal<'_>> {
        match &self.streams {
            Streams::Terminal(line) => Some(FakeTerminal(line)),
            Streams::Apart { .. } => None,
        }
    }

    /// From now on `signal` is handed out by [`FakeProcess::next_event`] instead of ending the process.
    pub fn catch(&mut self, signal: u8) {
        self.signals.catch(signal);
    }

    /// Waits for a signal that is caught, or for a new size of the terminal.
    ///
    /// # Errors
    /// When the process is killed.
    pub fn next_event(&mut self) -> io::Result<FakeEvent> {
        loop {
            self.signals.killed.wait_for(self.signals.noticed.as_fd(), PollFlags::IN)?;
            if let Some(event) = self.signals.next() {
                return Ok(event);
            }
        }
    }

    /// Waits until it is killed.
    pub fn hold(&mut self) -> io::Error {
        self.signals.killed.wait()
    }

    /// Sends itself a signal.
    pub fn raise(&mut self, signal: u8) {
        self.signals.deliver(FakeEvent::Signal(signal));
    }

    /// Starts a child that shares its streams and everything else but the arguments.
    ///
    /// # Errors
    /// When the process has been killed.
    pub fn start(&mut self, argv: Vec<OsString>, program: super::FakeProgram) -> io::Result<()> {
        let child = Self {
            argv,
            env: self.env.clone(),
            user: self.user,
            folder: self.folder.clone(),
            streams: self.streams.clone(),
            signals: Signals::new()?,
            job: self.job.clone(),
            world: self.world.clone(),
        };
        start::on_thread(child, program).map(drop)
    }

    /// The bottle's files. What a process does to them is checked against its user.
    pub fn files(&self) -> &FakeFiles {
        &self.world.files
    }

    /// Connects to `address`: through the outlet, or not at all.
    ///
    /// # Errors
    /// When the bottle has no outlet any more, or the address is its own.
    pub fn connect(&mut self, address: SocketAddr) -> io::Result<FakeStream> {
        network::connect(&self.world, &self.signals, address)
    }

    /// Sends one datagram and waits for the answer.
    ///
    /// # Errors
    /// When it goes anywhere but to port 53, or the outlet or the answer's sender is gone.
    pub fn ask(&mut self, address: SocketAddr, payload: &[u8]) -> io::Result<Vec<u8>> {
        network::ask(&self.world, &self.signals, address, payload)
    }
}

impl fmt::Debug for FakeProcess {
    /// Names of variables only: never a value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("FakeProcess").field("argv", &self.argv).field("env", &names).finish_non_exhaustive()
    }
}

/// The terminal of a process.
#[derive(Debug)]
pub struct FakeTerminal<'a>(&'a Arc<Line>);

impl FakeTerminal<'_> {
    /// Its size.
    pub fn size(&self) -> TerminalSize {
        self.0.size()
    }

    /// Turns off echo, line editing, signals and newline translation; or on again.
    pub fn set_raw(&self, raw: bool) {
        self.0.set_raw(raw);
    }
}
