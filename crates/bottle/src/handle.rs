use std::io;

use async_trait::async_trait;

use crate::{
    BottleName, Capabilities, CloseError, Exec, ExecError, GuestPath, LimitHit, Output, Process, Stdio, Tree, TreeSink, User,
};

/// A running, isolated place for one agent.
#[async_trait]
pub trait Bottle: Send + Sync {
    /// Its name; the identity of its session.
    fn name(&self) -> &BottleName;

    /// What it can do and how strong it is.
    fn capabilities(&self) -> &Capabilities;

    /// Runs a program to its end and captures its output.
    ///
    /// # Errors
    /// When the program could not be started, its deadline passed or the bottle is gone; never for a status that is not 0.
    async fn exec(&self, exec: Exec) -> Result<Output, ExecError>;

    /// Starts a program on the given streams or on a terminal of its own.
    ///
    /// # Errors
    /// When the program could not be started.
    async fn spawn(&self, exec: Exec, stdio: Stdio) -> Result<Process, ExecError>;

    /// Copies every member of `source` to its place below `into`, owned by `owner`. Missing folders above a member are made
    /// (0755, `owner`'s). What stood at a member's place is replaced as a whole: whoever looks sees the old or the new one,
    /// never half of either. When anything fails, nothing is replaced. A symbolic link on the way to a member's place
    /// is refused, because the agent may have put it there.
    ///
    /// # Errors
    /// When something on the host cannot be read (the error names it), or the bottle cannot take it.
    async fn cp_in(&self, source: &Tree, into: &GuestPath, owner: User) -> Result<(), CopyError>;

    /// Reads the file or folder at `from` and hands its entries to `sink`, parents first. Symbolic links are handed over as
    /// links, never followed; devices, sockets and FIFOs are left out.
    ///
    /// # Errors
    /// When `from` is missing, something cannot be read, or the sink refuses an entry.
    async fn cp_out(&self, from: &GuestPath, sink: &mut dyn TreeSink) -> Result<(), CopyError>;

    /// Limits that the bottle has run into so far; empty when the backend cannot tell. Valid until it is closed.
    fn limits_hit(&self) -> Vec<LimitHit> {
        Vec::new()
    }

    /// Ends everything inside and frees what the bottle held on the host. Safe to call twice.
    ///
    /// # Errors
    /// The first thing that could not be freed; the rest is freed all the same.
    async fn close(&self) -> Result<(), CloseError>;
}

/// Why a copy failed.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Something on the host could not be read. Nothing in the bottle has changed.
    #[error("cannot copy into bottle {bottle}: {source}")]
    Source {
        /// The bottle's name.
        bottle: String,
        /// What could not be read, and why.
        source: crate::tree::TreeError,
    },
    /// The bottle could not take or give it.
    #[error("cannot copy {direction} {path} of bottle {bottle}: {reason}")]
    Guest {
        /// The bottle's name.
        bottle: String,
        /// `to` or `from`.
        direction: &'static str,
        /// The place in the bottle.
        path: GuestPath,
        /// The kernel's or our own reason.
        reason: String,
    },
    /// The receiver on the host refused an entry or could not write it.
    #[error("cannot take what bottle {bottle} gave: {source}")]
    Sink {
        /// The bottle's name.
        bottle: String,
        /// What was refused, and why.
        source: crate::tree::SinkError,
    },
    /// The bottle has been closed.
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
    /// The connection to the bottle broke.
    #[error("copying with bottle {bottle}: {source}")]
    Io {
        /// The bottle's name.
        bottle: String,
        /// The system's error.
        source: io::Error,
    },
}
