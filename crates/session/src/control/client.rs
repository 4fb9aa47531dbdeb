use std::ffi::OsString;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::time::Duration;

use bottle::{ExitStatus, Signal, TerminalSize, User};
use secret::Secret;

use super::frames::{self, Inbox};
use super::message::{Answer, ExecRequest, Farewell, Request, WireSecret};
use super::socket;
use crate::interrupts::Interrupts;
use crate::relay::{Last, StdinFrom, TerminalRelay, pipes};
use crate::terminal;
use crate::{Caught, Reloaded};

/// Talks to a session of another process. Blocks, without any runtime: `exec` should cost little more than the program itself.
#[derive(Debug)]
pub struct Client {
    identity: String,
    stream: UnixStream,
    inbox: Inbox,
}

/// One program to run in the session's bottle.
#[derive(Debug)]
pub struct ExecCall {
    /// Program and arguments.
    pub argv: Vec<OsString>,
    /// Who runs it.
    pub user: User,
    /// Variables beside the session's own.
    pub env: Vec<(OsString, Secret)>,
}

/// Why a session did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It cannot be reached.
    #[error("reaching session {identity}: {source}")]
    Connect {
        /// The session.
        identity: String,
        /// The system's reason.
        source: io::Error,
    },
    /// It was killed before it had answered, or ended without a word.
    #[error("the session ended")]
    Ended,
    /// It ended in order, while it did what it was asked.
    #[error("session {identity} {}, and with it what ran there", .why.as_str())]
    Over {
        /// The session.
        identity: String,
        /// What ended it.
        why: Farewell,
    },
    /// What a program is to read cannot be read.
    #[error("reading stdin: {0}")]
    Input(io::Error),
    /// What a program wrote could not be passed on.
    #[error("writing what the program says: {0}")]
    Output(io::Error),
    /// It answered that it could not.
    #[error("{message}")]
    Failed {
        /// Its words.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The conversation broke.
    #[error("talking to the session: {0}")]
    Io(#[from] io::Error),
}

/// What to do about a session that does not end.
const KILL: &str = "kill its process with SIGKILL and run 'bot-bottle cleanup'";
/// What to do about one that does not answer what takes time: nothing is to be killed.
const WAIT: &str = "it may be waiting for a command that prints a credential: unlock your password manager, then try again";

impl Client {
    /// Connects through the session's open state folder.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn connect(identity: &str, folder: impl AsFd) -> Result<Self, ClientError> {
        let identity = identity.to_owned();
        match socket::connect(folder) {
            Ok(stream) => Ok(Self { identity, stream, inbox: Inbox::default() }),
            Err(source) => Err(ClientError::Connect { identity, source }),
        }
    }

    /// Ends the session and waits until its process is gone, at most `patience`.
    ///
    /// # Errors
    /// When it does not answer or does not end in time.
    pub fn stop(mut self, patience: Duration) -> Result<(), ClientError> {
        self.stream.set_read_timeout(Some(patience))?;
        self.stream.set_write_timeout(Some(patience))?;
        self.send(&Request::Stop, &[]).map_err(|error| self.in_time(error, "answered", patience, KILL))?;
        match self.next() {
            Ok(Answer::Stopping) | Err(ClientError::Ended) => {}
            Ok(other) => return Err(self.unexpected(other)),
            Err(error) => return Err(self.in_time(error, "answered", patience, KILL)),
        }
        match self.next() {
            Err(ClientError::Ended) => Ok(()),
            Err(error) => Err(self.in_time(error, "ended", patience, KILL)),
            Ok(other) => Err(self.unexpected(other)),
        }
    }

    /// Has the session read its policy anew.
    ///
    /// # Errors
    /// Why the old ones stay.
    pub fn reload(mut self, patience: Duration) -> Result<Reloaded, ClientError> {
        self.stream.set_read_timeout(Some(patience))?;
        self.stream.set_write_timeout(Some(patience))?;
        self.send(&Request::Reload, &[])?;
        match self.next() {
            Ok(Answer::Reloaded { rules, later }) => Ok(Reloaded { rules, later }),
            Ok(other) => Err(self.unexpected(other)),
            Err(error) => Err(self.in_time(error, "answered", patience, WAIT)),
        }
    }

    /// The system's word for a timeout is "temporarily unavailable", which says nothing to a person.
    fn in_time(&self, error: ClientError, what: &str, patience: Duration, hint: &str) -> ClientError {
        match error {
            ClientError::Io(error) if error.kind() == io::ErrorKind::WouldBlock => ClientError::Failed {
                message: format!("session {} has not {what} after {} s", self.identity, patience.as_secs()),
                hint: Some(hint.to_owned()),
            },
            other @ (ClientError::Connect { .. }
            | ClientError::Ended
            | ClientError::Over { .. }
            | ClientError::Input(_)
            | ClientError::Output(_)
            | ClientError::Failed { .. }
            | ClientError::Io(_)) => other,
        }
    }

    /// Runs a program with our own stdin, stdout and stderr relayed to it. Connects when there is nothing left to prepare, so that
    /// the session has something to do when it wakes.
    ///
    /// # Errors
    /// When the session cannot be reached, the program could not be started, or the session ended first.
    pub fn exec_streams(identity: &str, folder: impl AsFd, call: ExecCall) -> Result<ExitStatus, ClientError> {
        let (near, far) = pipes()?;
        let frame = frames::encode(&request(call, None))?;
        let mut client = Self::connect(identity, folder)?;
        client.send_frame(&frame, &[far.stdin.as_fd(), far.stdout.as_fd(), far.stderr.as_fd()])?;
        drop(far);
        match client.next()? {
            Answer::Started => {}
            other => return Err(client.unexpected(other)),
        }
        let (tell, broken) = mpsc::channel();
        let session = client.stream.try_clone()?;
        let relay = near.start_as_needed(StdinFrom::readable(), &client.stream, move |error| {
            drop(tell.send(error));
            // The session ends the program then, and says so by closing its side: not before that do we go, and with us its stdin.
            let _ = session.shutdown(Shutdown::Write);
        })?;
        let status = client.ended();
        let written = relay.finish();
        if let Ok(error) = broken.try_recv() {
            return Err(ClientError::Input(error));
        }
        let status = status?;
        written.map_err(ClientError::Output)?;
        Ok(status)
    }

    /// Runs a program on a terminal of its own, shown on ours. Needs a tokio runtime, for the signals alone.
    ///
    /// # Errors
    /// When it could not be started, the session ended first, or ours is no terminal.
    pub async fn exec_terminal(
        self,
        call: ExecCall,
        interrupts: &mut Interrupts,
    ) -> Result<Result<ExitStatus, Caught>, ClientError> {
        let TerminalSize { rows, columns } = terminal::size(io::stdin());
        let request = request(call, Some((rows, columns)));
        let talk = Self { identity: self.identity.clone(), stream: self.stream.try_clone()?, inbox: Inbox::default() };
        // Off this thread: a session that is still provisioned answers late, and signals are to be heard meanwhile.
        let starting = tokio::task::spawn_blocking(move || self.started(&request));
        let (mut session, master) = tokio::select! {
            started = starting => started.map_err(io::Error::other)??,
            caught = interrupts.next() => return Ok(Err(talk.leave(caught))),
        };
        let relay = TerminalRelay::start(master)?;
        let mut waiting = tokio::task::spawn_blocking(move || session.ended());
        loop {
            let caught = tokio::select! {
                ended = &mut waiting => {
                    let ended = ended.map_err(io::Error::other).map_err(ClientError::from).flatten();
                    let last = ended.as_ref().map_or(Last::Abandoned, |status| Last::from(*status));
                    return match relay.close(last, interrupts, std::future::pending()).await {
                        None => ended.map(Ok),
                        Some(caught) => ended.map(|_| Err(caught)),
                    };
                }
                caught = interrupts.next_or_resize() => caught,
                caught = relay.hung_up() => Some(caught),
            };
            match caught {
                None => {
                    let TerminalSize { rows, columns } = terminal::size(io::stdin());
                    talk.send(&Request::Resize { rows, columns }, &[])?;
                }
                Some(Caught::Signal(Signal::Interrupt)) => talk.send(&Request::Signal(Signal::Interrupt.number()), &[])?,
                Some(caught) => {
                    relay.close(Last::Abandoned, interrupts, std::future::pending()).await;
                    return Ok(Err(talk.leave(caught)));
                }
            }
        }
    }

    /// Asks for a program on a terminal and waits until it has begun.
    fn started(mut self, request: &Request) -> Result<(Self, OwnedFd), ClientError> {
        self.send(request, &[])?;
        match self.next()? {
            Answer::Started => {
                let master = self.inbox.take_fd().ok_or_else(|| io::Error::other("the session sent no terminal"))?;
                Ok((self, master))
            }
            other => Err(self.unexpected(other)),
        }
    }

    /// Ends a blocked reader, and with it the program: see the module's documentation.
    fn leave(&self, caught: Caught) -> Caught {
        let _ = self.stream.shutdown(Shutdown::Both);
        caught
    }

    fn ended(&mut self) -> Result<ExitStatus, ClientError> {
        match self.next()? {
            Answer::EndedCode(code) => Ok(ExitStatus::Code(code)),
            Answer::EndedSignal(signal) => Ok(ExitStatus::Signal(signal)),
            other => Err(self.unexpected(other)),
        }
    }

    fn send(&self, request: &Request, fds: &[BorrowedFd<'_>]) -> Result<(), ClientError> {
        self.send_frame(&frames::encode(request)?, fds)
    }

    fn send_frame(&self, frame: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), ClientError> {
        let mut sent = 0;
        while sent < frame.len() {
            sent += frames::send(&self.stream, &frame[sent..], if sent == 0 { fds } else { &[] })?;
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Answer, ClientError> {
        loop {
            if let Some(answer) = self.inbox.next()? {
                return Ok(answer);
            }
            match self.inbox.receive(&self.stream) {
                Ok(true) => {}
                Ok(false) => return Err(ClientError::Ended),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Err(ClientError::Ended),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn unexpected(&self, answer: Answer) -> ClientError {
        match answer {
            Answer::Failed { message, hint } => ClientError::Failed { message, hint },
            Answer::Over(why) => ClientError::Over { identity: self.identity.clone(), why },
            Answer::Stopping | Answer::Reloaded { .. } | Answer::Started | Answer::EndedCode(_) | Answer::EndedSignal(_) => {
                ClientError::Io(io::Error::other("the session's answer does not fit the question"))
            }
        }
    }
}

fn request(call: ExecCall, terminal: Option<(u16, u16)>) -> Request {
    let env = call.env.into_iter().map(|(name, value)| (name.into_vec(), WireSecret(value))).collect();
    let argv = call.argv.into_iter().map(OsString::into_vec).collect();
    Request::Exec(ExecRequest { argv, user: call.user.into(), env, terminal })
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use super::{Client, ClientError};
    use crate::control::frames::{self, Inbox};
    use crate::control::message::Answer;

    #[test]
    fn a_session_that_does_not_answer_or_end_is_named_with_what_to_do() {
        for (answers, what) in [(None, "answered"), (Some(Answer::Stopping), "ended")] {
            let (near, far) = UnixStream::pair().unwrap();
            if let Some(answer) = answers {
                frames::send(&far, &frames::encode(&answer).unwrap(), &[]).unwrap();
            }
            let client = Client { identity: "s".to_owned(), stream: near, inbox: Inbox::default() };
            let Err(ClientError::Failed { message, hint }) = client.stop(Duration::from_millis(1)) else { panic!() };
            assert_eq!(message, format!("session s has not {what} after 0 s"));
            assert!(hint.unwrap().contains("cleanup"));
            drop(far);
        }
    }
}
