//! The agent while it runs.

use std::io::{self, IsTerminal as _};
use std::pin::pin;
use std::time::Duration;

use bottle::{Bottle, Exec, Process, Signal, Stdio};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::interrupts::{Caught, Interrupts};
use crate::relay::{Last, StdinFrom, TerminalRelay, pipes};
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

/// Runs `work` until it is done, a signal comes, or the time is up: then it is dropped.
pub(crate) async fn race<T>(
    work: impl Future<Output = T>,
    interrupts: &mut Interrupts,
    limit: Option<(Duration, Instant)>,
) -> Result<T, Ending> {
    tokio::select! {
        biased;
        done = work => Ok(done),
        caught = interrupts.next() => Err(Ending::Caught(caught)),
        limit = time_is_up(limit) => Err(Ending::TimeLimit(limit)),
    }
}

/// With a terminal: what is typed goes to the agent, Ctrl-C too; a signal to us ends the session. `at_rest` is called when the agent
/// runs.
pub(crate) async fn on_terminal(
    bottle: &dyn Bottle,
    exec: Exec,
    interrupts: &mut Interrupts,
    limit: Option<(Duration, Instant)>,
    at_rest: fn(),
) -> Result<Ending, SessionError> {
    let failed = |source| SessionError::Io { what: "using the terminal", source };
    let stdio = Stdio::Terminal(terminal::size(io::stdin()));
    let Process { control, terminal } = match race(bottle.spawn(exec, stdio), interrupts, limit).await {
        Ok(process) => process?,
        Err(ending) => return Ok(ending),
    };
    let master = terminal.ok_or_else(|| failed(io::Error::other("the backend gave none")))?;
    let relay = TerminalRelay::start(master).map_err(failed)?;
    at_rest();
    let mut ended = control.wait();
    let ending = loop {
        tokio::select! {
            status = &mut ended => break status.map(Ending::Agent).map_err(SessionError::from),
            caught = interrupts.next_or_resize() => match caught {
                None => drop(control.resize(terminal::size(io::stdin())).await),
                Some(caught) => break Ok(Ending::Caught(caught)),
            },
            caught = relay.hung_up() => break Ok(Ending::Caught(caught)),
            limit = time_is_up(limit) => break Ok(Ending::TimeLimit(limit)),
        }
    };
    let last = match &ending {
        Ok(Ending::Agent(status)) => Last::from(*status),
        Ok(Ending::Caught(_) | Ending::TimeLimit(_)) | Err(_) => Last::Abandoned,
    };
    match relay.close(last, interrupts, time_is_up(limit)).await {
        None => ending,
        Some(caught) => ending.map(|_| Ending::Caught(caught)),
    }
}

/// Without a terminal: streams are relayed apart and untouched. The first Ctrl-C is the agent's, the second ours. `at_rest` as above.
pub(crate) async fn on_streams(
    bottle: &dyn Bottle,
    exec: Exec,
    interrupts: &mut Interrupts,
    limit: Option<(Duration, Instant)>,
    at_rest: fn(),
) -> Result<Ending, SessionError> {
    let failed = |source| SessionError::Io { what: "relaying the agent's streams", source };
    let (near, far) = pipes().map_err(failed)?;
    let stdio = Stdio::Streams { stdin: far.stdin, stdout: far.stdout, stderr: far.stderr };
    let Process { control, .. } = match race(bottle.spawn(exec, stdio), interrupts, limit).await {
        Ok(process) => process?,
        Err(ending) => return Ok(ending),
    };
    // `--headless` is used where nobody types: an agent that waits for the end of its input would wait for ever.
    let from = if io::stdin().is_terminal() { StdinFrom::Nothing } else { StdinFrom::readable() };
    let (tell, told_broken) = oneshot::channel();
    let relay = near.start(from, move |error| drop(tell.send(error))).map_err(failed)?;
    let mut broken = pin!(async {
        match told_broken.await {
            Ok(error) => error,
            Err(_) => std::future::pending().await,
        }
    });
    at_rest();
    let mut ended = control.wait();
    let mut told = false;
    loop {
        tokio::select! {
            biased;
            source = &mut broken => return Err(SessionError::Io { what: "reading stdin", source }),
            status = &mut ended => {
                let ending = Ending::Agent(status?);
                return finish(move || relay.finish(), ending, interrupts, limit).await;
            }
            caught = interrupts.next() => match caught {
                Caught::Signal(Signal::Interrupt) if !told => {
                    told = true;
                    drop(control.signal(Signal::Interrupt).await);
                }
                Caught::Signal(_) | Caught::Other(_) | Caught::Stop => return Ok(Ending::Caught(caught)),
            },
            limit = time_is_up(limit) => return Ok(Ending::TimeLimit(limit)),
        }
    }
}

/// Lets the last output through, unless the person does not want to wait for whoever reads it.
async fn finish(
    rest: impl FnOnce() -> io::Result<()> + Send + 'static,
    ending: Ending,
    interrupts: &mut Interrupts,
    limit: Option<(Duration, Instant)>,
) -> Result<Ending, SessionError> {
    tokio::select! {
        written = tokio::task::spawn_blocking(rest) => {
            let written = written.map_err(io::Error::other).flatten();
            written.map_err(|source| SessionError::Io { what: "writing what the agent says", source })?;
            Ok(ending)
        }
        caught = interrupts.next() => Ok(Ending::Caught(caught)),
        limit = time_is_up(limit) => Ok(Ending::TimeLimit(limit)),
    }
}
