use std::ffi::{OsStr, OsString};
use std::fmt;
use std::time::Duration;

use secret::Secret;

use crate::{GuestPath, User};

/// One program to run in a bottle: an argument vector, never a shell line, so that no name can become a command.
///
/// The program is looked up on the `PATH` of its own environment, inside the bottle. `HOME`, `USER`, `LOGNAME`, `PATH`,
/// `SHELL` and `LANG` are set to match the user unless `env` names them; nothing is inherited from the host.
#[derive(Clone)]
pub struct Exec {
    /// Program and arguments, as bytes the kernel takes (no NUL).
    pub argv: Vec<OsString>,
    /// Who runs it.
    pub user: User,
    /// Variables beside the usual ones; later entries win. Values are secrets until proven otherwise.
    pub env: Vec<(OsString, Secret)>,
    /// Working folder; the user's home when `None`.
    pub folder: Option<GuestPath>,
    /// What a captured [`crate::Bottle::exec`] writes to the program's stdin; ignored by `spawn`.
    pub stdin: Vec<u8>,
    /// After this long the whole process tree is killed and the call fails with [`ExecError::Deadline`].
    pub deadline: Option<Duration>,
}

impl Exec {
    /// Runs `program` as `node` with no arguments, empty stdin and no deadline.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            argv: vec![program.as_ref().to_owned()],
            user: User::Node,
            env: Vec::new(),
            folder: None,
            stdin: Vec::new(),
            deadline: None,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.argv.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.argv.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Runs as `user`.
    #[must_use]
    pub fn user(mut self, user: User) -> Self {
        self.user = user;
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl Into<Vec<u8>>) -> Self {
        self.env.push((name.as_ref().to_owned(), Secret::new(value)));
        self
    }

    /// Runs in `folder`.
    #[must_use]
    pub fn folder(mut self, folder: GuestPath) -> Self {
        self.folder = Some(folder);
        self
    }

    /// Feeds `stdin` to a captured exec.
    #[must_use]
    pub fn stdin(mut self, stdin: impl Into<Vec<u8>>) -> Self {
        self.stdin = stdin.into();
        self
    }

    /// Kills everything the program started after `deadline`.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The program's name, for messages.
    pub fn program(&self) -> String {
        self.argv.first().map(|program| program.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

impl fmt::Debug for Exec {
    /// Names of variables only: never a value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("Exec").field("argv", &self.argv).field("user", &self.user).field("env", &names).finish_non_exhaustive()
    }
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// It ended by itself with this status.
    Code(u8),
    /// This signal ended it.
    Signal(u8),
}

impl ExitStatus {
    /// The status as a shell shows it: the program's own, or 128 + n for death by signal n.
    pub fn code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => 128u8.saturating_add(signal),
        }
    }

    /// Whether it ended by itself with status 0.
    pub fn success(self) -> bool {
        self == Self::Code(0)
    }
}

/// What a captured program left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// All of its stdout.
    pub stdout: Vec<u8>,
    /// All of its stderr.
    pub stderr: Vec<u8>,
}

impl Output {
    /// The most that is captured of one stream, in bytes (64 MiB). A program that writes more is killed; let it write to a file,
    /// or use [`crate::Bottle::spawn`].
    pub const MOST: usize = 64 << 20;
}

/// Why a program did not run to its end. A program that ran and failed is no error: see [`Output::status`].
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// Nothing of that name on the bottle's PATH, or at that path.
    #[error("no program {program:?} in bottle {bottle}")]
    NotFound {
        /// The bottle's name.
        bottle: String,
        /// The program as asked for.
        program: String,
    },
    /// It is there but cannot be run.
    #[error("cannot run {program:?} in bottle {bottle}: {reason}")]
    NotRunnable {
        /// The bottle's name.
        bottle: String,
        /// The program as asked for.
        program: String,
        /// The kernel's reason.
        reason: String,
    },
    /// The working folder is missing or closed to the user.
    #[error("cannot work in folder {folder} of bottle {bottle}: {reason}")]
    Folder {
        /// The bottle's name.
        bottle: String,
        /// The folder as asked for.
        folder: GuestPath,
        /// The kernel's reason.
        reason: String,
    },
    /// The deadline passed; everything the program had started was killed.
    #[error("{program:?} in bottle {bottle} took longer than {after:?}; it and all it had started were killed")]
    Deadline {
        /// The bottle's name.
        bottle: String,
        /// The program as asked for.
        program: String,
        /// The deadline that passed.
        after: Duration,
    },
    /// It wrote more than is captured; everything it had started was killed.
    #[error("{program:?} in bottle {bottle} wrote more than {most} bytes; it and all it had started were killed")]
    TooMuchOutput {
        /// The bottle's name.
        bottle: String,
        /// The program as asked for.
        program: String,
        /// [`Output::MOST`].
        most: usize,
    },
    /// The bottle has been closed, or its processes were killed from outside.
    #[error("bottle {bottle} is gone")]
    Gone {
        /// The bottle's name.
        bottle: String,
    },
    /// The bottle ended by itself, because what held it together was harmed from inside.
    #[error("bottle {bottle} has ended: {reason}")]
    Ended {
        /// The bottle's name.
        bottle: String,
        /// What its PID 1 said.
        reason: String,
    },
    /// The request itself cannot be carried out (an empty argument vector, a NUL byte, a full process table).
    #[error("cannot run {program:?} in bottle {bottle}: {reason}")]
    Failed {
        /// The bottle's name.
        bottle: String,
        /// The program as asked for.
        program: String,
        /// What went wrong.
        reason: String,
    },
}
