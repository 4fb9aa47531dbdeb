//! The agent while it runs.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use bottle::{Bottle, Exec, Process, Signal, Stdio};
use tokio::time::Instant;

use crate::interrupts::{Caught, Interrupts};
use crate::relay::{StdinFrom, TerminalRelay, pipes};
use crate::session::{Ending, SessionError};
use crate::terminal;

/// Waits until the session's time is up; for ever when it has no limit.
pub(crate) async fn time_is_up(limit: Option<(Duration, Instant)>) -> Duration {
    match limit {
        Some((limit, end)) => {
            tokio::time::sleep_until(end).await;
            limit
        }
        None => std::future::pending().await,
    }
}

/// With a terminal: what is typed goes to the agent, Ctrl-C too; a signal to us ends the session.
pub(crate) async fn on_terminal(
    bottle: &dyn Bottle,
    exec: Exec,
    interrupts: &mut Interrupts,
    limit: Option<(Duration, Instant)>,
) -> Result<Ending, SessionError> {
    let failed = |source| SessionError::Io { what: "using the terminal", source };
    let Process { control, terminal } = bottle.spawn(exec, Stdio::Terminal(terminal::size(io::stdin()))).await?;
    let master = terminal.ok_or_else(|| failed(io::Error::other("the backend gave none")))?;
    let relay = TerminalRelay::start(master).map_err(failed)?;
    let mut ended = control.wait();
    loop {
        tokio::select! {
            status = &mut ended => {
                let status = status.inspect_err(|_| terminal::restore_all())?;
                return finish(move || relay.finish(), Ending::Agent(status), interrupts).await;
            }
            caught = interrupts.next_or_resize() => match caught {
                None => drop(control.resize(terminal::size(io::stdin())).await),
                Some(caught) => {
                    relay.abandon();
                    return Ok(Ending::Caught(caught));
                }
            },
            limit = time_is_up(limit) => {
                relay.abandon();
                return Ok(Ending::TimeLimit(limit));
            }
        }
    }
}

/// Without a terminal: streams are relayed apart and untouched. The first Ctrl-C is the agent's, the second ours.
pub(crate) async fn on_streams(
    bottle: &dyn Bottle,
    exec: Exec,
    interrupts: &mut Interrupts,
    limit: Option<(Duration, Instant)>,
) -> Result<Ending, SessionError> {
    let failed = |source| SessionError::Io { what: "relaying the agent's streams", source };
    let (near, far) = pipes().map_err(failed)?;
    let stdio = Stdio::Streams { stdin: far.stdin, stdout: far.stdout, stderr: far.stderr };
    let Process { control, .. } = bottle.spawn(exec, stdio).await?;
    // `--headless` is used where nobody types: an agent that waits for the end of its input would wait for ever.
    let from = if io::stdin().is_terminal() { StdinFrom::Nothing } else { StdinFrom::Ours };
    let relay = near.start(from).map_err(failed)?;
    let mut ended = control.wait();
    let mut told = false;
    loop {
        tokio::select! {
            status = &mut ended => {
                let ending = Ending::Agent(status?);
                return finish(move || relay.finish(), ending, interrupts).await;
            }
            caught = interrupts.next() => match caught {
                Caught::Signal(Signal::Interrupt) if !told => {
                    told = true;
                    drop(control.signal(Signal::Interrupt).await);
                }
                Caught::Signal(_) | Caught::Stop => return Ok(Ending::Caught(caught)),
            },
            limit = time_is_up(limit) => return Ok(Ending::TimeLimit(limit)),
        }
    }
}

/// Lets the last output through, unless the person does not want to wait for whoever reads it.
async fn finish(
    rest: impl FnOnce() + Send + 'static,
    ending: Ending,
    interrupts: &mut Interrupts,
) -> Result<Ending, SessionError> {
    tokio::select! {
        _ = tokio::task::spawn_blocking(rest) => Ok(ending),
        caught = interrupts.next() => Ok(Ending::Caught(caught)),
    }
}
