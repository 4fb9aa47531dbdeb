use std::fmt;
use std::os::fd::OwnedFd;

use async_trait::async_trait;

use crate::{ExecError, ExitStatus};

/// What a spawned program reads and writes.
#[derive(Debug)]
pub enum Stdio {
    /// Three streams, kept apart. They must be pipes or sockets made for this purpose: a program in the bottle may hold
    /// them itself, so they are never a terminal, a folder or a file of the host.
    Streams {
        /// Read end that becomes the program's stdin.
        stdin: OwnedFd,
        /// Write end that becomes its stdout.
        stdout: OwnedFd,
        /// Write end that becomes its stderr.
        stderr: OwnedFd,
    },
    /// A terminal of its own, made inside the bottle; never the caller's (`TIOCSTI`, `ioctl_tty(2)`). The caller finds the
    /// other side in [`Process::terminal`]. Set `TERM` in the program's environment.
    Terminal(TerminalSize),
}

/// Size of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalSize {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
}

/// A running program in a bottle. Dropping it does not end the program.
pub struct Process {
    /// Waits, signals, resizes, kills.
    pub control: Box<dyn Running>,
    /// The caller's side of the program's terminal: what is read from it is the program's output, what is written to it is
    /// typed. A read ends (0 bytes or `EIO`) when the last program on the terminal is gone. `None` for streams.
    pub terminal: Option<OwnedFd>,
}

/// What can be done to a running program.
#[async_trait]
pub trait Running: Send + Sync {
    /// Waits for its end. May be called again, and gives the same answer.
    async fn wait(&self) -> Result<ExitStatus, ExecError>;
    /// Sends a signal to the program and those of its process group, as a terminal does; nothing happens when it has ended.
    async fn signal(&self, signal: Signal) -> Result<(), ExecError>;
    /// Tells its terminal a new size (`SIGWINCH` reaches the programs on it); nothing happens without a terminal.
    async fn resize(&self, size: TerminalSize) -> Result<(), ExecError>;
    /// Kills the program and everything it has started, daemons too; nothing happens when the program has ended.
    async fn kill(&self) -> Result<(), ExecError>;
}

/// The signals that are passed on to a program in a bottle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// `SIGHUP`
    Hangup,
    /// `SIGINT`
    Interrupt,
    /// `SIGQUIT`
    Quit,
    /// `SIGTERM`
    Terminate,
    /// `SIGKILL`
    Kill,
}

impl Signal {
    /// The signal's number on Linux (`signal(7)`).
    pub fn number(self) -> u8 {
        match self {
            Self::Hangup => 1,
            Self::Interrupt => 2,
            Self::Quit => 3,
            Self::Kill => 9,
            Self::Terminate => 15,
        }
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("terminal", &self.terminal.is_some()).finish_non_exhaustive()
    }
}
