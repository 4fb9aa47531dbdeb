//! A running program, seen from the session.

use std::os::fd::OwnedFd;
use std::time::Duration;

use async_trait::async_trait;
use bottle::{ExecError, ExitStatus, Running, Signal, TerminalSize};
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;

use crate::channel::Channel;
use crate::wire::{FromExec, ToExec};

/// How long a killed tree may take to be gone before the bottle itself is given up.
const KILL_PATIENCE: Duration = Duration::from_secs(30);

/// A program and the channel to the process that watches over it.
pub struct NativeProcess {
    bottle: String,
    program: String,
    channel: Channel,
    deadline: Option<(Instant, Duration)>,
    terminal: Option<OwnedFd>,
    /// Held while somebody waits, so that two waiters do not take each other's message.
    waiting: Mutex<()>,
    ended: OnceCell<End>,
}

#[derive(Debug, Clone, Copy)]
enum End {
    Status(ExitStatus),
    Deadline(Duration),
    Gone,
}

impl NativeProcess {
    /// A program that runs. `terminal` is a second descriptor of its terminal, for its size.
    pub fn new(bottle: String, program: String, channel: Channel, deadline: Option<Duration>, terminal: Option<OwnedFd>) -> Self {
        let deadline = deadline.map(|after| (Instant::now() + after, after));
        Self { bottle, program, channel, deadline, terminal, waiting: Mutex::new(()), ended: OnceCell::new() }
    }

    async fn end(&self) -> End {
        let _turn = self.waiting.lock().await;
        *self.ended.get_or_init(|| self.wait_for_end()).await
    }

    async fn wait_for_end(&self) -> End {
        let Some((at, after)) = self.deadline else { return self.next_status().await };
        match tokio::time::timeout_at(at, self.next_status()).await {
            Ok(end) => end,
            Err(_) => {
                let _ = self.channel.send(&ToExec::KillTree);
                match tokio::time::timeout(KILL_PATIENCE, self.next_status()).await {
                    Ok(_) | Err(_) => End::Deadline(after),
                }
            }
        }
    }

    async fn next_status(&self) -> End {
        loop {
            match self.channel.receive().await {
                Ok(Some((FromExec::Exited(code), _))) => return End::Status(ExitStatus::Code(code)),
                Ok(Some((FromExec::Killed(signal), _))) => return End::Status(ExitStatus::Signal(signal)),
                Ok(Some((FromExec::Started | FromExec::NotStarted { .. } | FromExec::Done | FromExec::Failed { .. }, _))) => {}
                Ok(None) | Err(_) => return End::Gone,
            }
        }
    }
}

#[async_trait]
impl Running for NativeProcess {
    async fn wait(&self) -> Result<ExitStatus, ExecError> {
        match self.end().await {
            End::Status(status) => Ok(status),
            End::Deadline(after) => {
                Err(ExecError::Deadline { bottle: self.bottle.clone(), program: self.program.clone(), after })
            }
            End::Gone => Err(ExecError::Gone { bottle: self.bottle.clone() }),
        }
    }

    async fn signal(&self, signal: Signal) -> Result<(), ExecError> {
        // A program that has ended hears nothing, and that is no error.
        let _ = self.channel.send(&ToExec::Signal(signal.number()));
        Ok(())
    }

    async fn resize(&self, size: TerminalSize) -> Result<(), ExecError> {
        let Some(terminal) = &self.terminal else { return Ok(()) };
        let size = rustix::termios::Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(terminal, size).map_err(|error| ExecError::Failed {
            bottle: self.bottle.clone(),
            program: self.program.clone(),
            reason: format!("setting the size of its terminal: {error}"),
        })
    }

    async fn kill(&self) -> Result<(), ExecError> {
        let _ = self.channel.send(&ToExec::KillTree);
        Ok(())
    }
}
