//! A running program, seen from the session.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bottle::{ExecError, ExitStatus, Running, Signal, TerminalSize};
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;

use super::channel::Channel;
use super::control::Control;
use crate::wire::{FromExec, ToExec};

/// How long a killed tree may take to be gone before the whole bottle is ended instead.
const KILL_PATIENCE: Duration = Duration::from_secs(30);

/// A program and the channel to the process that watches over it.
pub struct ServedProcess {
    bottle: String,
    program: String,
    channel: Channel,
    deadline: Option<(Instant, Duration)>,
    control: Arc<Control>,
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

impl ServedProcess {
    /// A program that runs.
    pub fn new(bottle: String, program: String, channel: Channel, deadline: Option<Duration>, control: Arc<Control>) -> Self {
        let deadline = deadline.map(|after| (Instant::now() + after, after));
        Self { bottle, program, channel, deadline, control, waiting: Mutex::new(()), ended: OnceCell::new() }
    }

    /// Waits for the first word: whether it was started, and its terminal.
    pub async fn started(&self) -> std::io::Result<Option<(FromExec, Vec<OwnedFd>)>> {
        self.channel.receive().await
    }

    /// Kills the tree when the value is dropped before [`KillOnDrop::defuse`].
    pub fn kill_on_drop(&self) -> KillOnDrop<'_> {
        KillOnDrop(Some(&self.channel))
    }

    async fn end(&self) -> End {
        let _turn = self.waiting.lock().await;
        *self.ended.get_or_init(|| self.wait_for_end()).await
    }

    async fn wait_for_end(&self) -> End {
        // The watching process keeps the deadline. Should it not say so in time, what was promised is done all the same: with
        // the whole bottle.
        let Some((at, after)) = self.deadline else { return self.next_status().await };
        match tokio::time::timeout_at(at + KILL_PATIENCE, self.next_status()).await {
            Ok(end) => end,
            Err(_) => {
                self.control.life().end();
                let _ = self.control.life().ended().await;
                End::Deadline(after)
            }
        }
    }

    async fn next_status(&self) -> End {
        loop {
            match self.channel.receive().await {
                Ok(Some((FromExec::Exited(code), _))) => return End::Status(ExitStatus::Code(code)),
                Ok(Some((FromExec::Killed(signal), _))) => return End::Status(ExitStatus::Signal(signal)),
                Ok(Some((FromExec::DeadlinePassed, _))) => {
                    return End::Deadline(self.deadline.map_or(Duration::ZERO, |(_, after)| after));
                }
                Ok(Some((FromExec::Started | FromExec::NotStarted { .. } | FromExec::Done | FromExec::Failed { .. }, _))) => {}
                Ok(None) | Err(_) => return End::Gone,
            }
        }
    }
}

/// A caller that gives up half way (a timeout, a cancelled task) leaves no program running.
pub struct KillOnDrop<'a>(Option<&'a Channel>);

impl KillOnDrop<'_> {
    /// The program has ended.
    pub fn defuse(mut self) {
        self.0 = None;
    }
}

impl Drop for KillOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(channel) = self.0 {
            let _ = channel.send(&ToExec::KillTree);
        }
    }
}

#[async_trait]
impl Running for ServedProcess {
    async fn wait(&self) -> Result<ExitStatus, ExecError> {
        match self.end().await {
            End::Status(status) => Ok(status),
            End::Deadline(after) => {
                Err(ExecError::Deadline { bottle: self.bottle.clone(), program: self.program.clone(), after })
            }
            End::Gone => Err(self.control.no_exec(&self.bottle).await),
        }
    }

    async fn signal(&self, signal: Signal) -> Result<(), ExecError> {
        // A program that has ended hears nothing, and that is no error.
        let _ = self.channel.send(&ToExec::Signal(signal.number()));
        Ok(())
    }

    async fn resize(&self, size: TerminalSize) -> Result<(), ExecError> {
        let _ = self.channel.send(&ToExec::Resize(size.rows, size.columns));
        Ok(())
    }

    async fn kill(&self) -> Result<(), ExecError> {
        let _ = self.channel.send(&ToExec::KillTree);
        Ok(())
    }
}
