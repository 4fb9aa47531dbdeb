use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bottle::{Bottle, Exec, ExecError, Process, Stdio, User};
use rustix::fs::FileType;
use secret::Secret;
use tokio::io::Interest;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::frames::{self, Inbox};
use super::message::{Answer, ExecRequest, Farewell, Request, signal, size};
use super::socket;
use crate::{Reloaded, Reloader, Stopper};

/// What `exec` needs: there once the bottle is provisioned.
#[derive(Clone)]
pub struct Ready {
    /// The bottle.
    pub bottle: Arc<dyn Bottle>,
    /// What every program in it gets, as the agent does.
    pub env: Vec<(OsString, Secret)>,
    /// Reads its policy anew.
    pub reloader: Arc<Reloader>,
}

/// Serves a session's control socket.
pub struct ControlServer {
    listener: UnixListener,
    shared: Arc<Shared>,
}

struct Shared {
    ready: watch::Receiver<Option<Ready>>,
    farewell: watch::Receiver<Option<Farewell>>,
    stopper: Stopper,
}

/// How long a client may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(5);

impl ControlServer {
    /// Makes the socket in the state folder. `exec` waits until `ready` holds a bottle; when its sender is dropped, it is refused.
    /// Whoever has something running is told the `farewell` before the bottle is closed.
    ///
    /// # Errors
    /// When the system refuses the socket.
    pub fn bind(
        folder: impl AsFd,
        ready: watch::Receiver<Option<Ready>>,
        farewell: watch::Receiver<Option<Farewell>>,
        stopper: Stopper,
    ) -> io::Result<Self> {
        let listener = socket::bind(folder)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener: UnixListener::from_std(listener)?, shared: Arc::new(Shared { ready, farewell, stopper }) })
    }

    /// Serves until the future is dropped, which ends every connection and what runs on it.
    pub async fn serve(self) {
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            match self.listener.accept().await {
                Ok((stream, _)) if socket::is_ours(&stream) => {
                    let shared = Arc::clone(&self.shared);
                    connections.spawn(async move { shared.converse(Connection { stream, inbox: Inbox::default() }).await });
                }
                Ok(_) => {}
                // Such as a full file table; the pause keeps it from spinning.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
}

impl Shared {
    async fn converse(&self, mut connection: Connection) {
        let Ok(Ok(Some(request))) = tokio::time::timeout(PATIENCE, connection.next()).await else { return };
        // An error means that the client is gone: there is nobody to tell.
        let _ = match request {
            Request::Stop => self.stop(connection).await,
            Request::Reload => self.reload(connection).await,
            Request::Exec(exec) => self.exec(exec, connection).await,
            Request::Resize { .. } | Request::Signal(_) => connection.fail("this belongs to a running program", None).await,
        };
    }

    async fn stop(&self, mut connection: Connection) -> io::Result<()> {
        connection.send(&Answer::Stopping, &[]).await?;
        self.stopper.stop();
        // Held open until our process ends: that is what the client waits for.
        connection.closed().await;
        Ok(())
    }

    async fn reload(&self, mut connection: Connection) -> io::Result<()> {
        let Some(Ready { reloader, .. }) = self.ready.borrow().clone() else {
            return connection.fail("the session is still being made", Some("try again in a moment")).await;
        };
        match reloader.reload().await {
            Ok(Reloaded { rules, later }) => connection.send(&Answer::Reloaded { rules, later }, &[]).await,
            Err(why) => connection.fail(&why, Some("the policy in force has not changed")).await,
        }
    }

    async fn exec(&self, request: ExecRequest, mut connection: Connection) -> io::Result<()> {
        let mut ready = self.ready.clone();
        let waiting = async { ready.wait_for(Option::is_some).await.ok().and_then(|ready| ready.clone()) };
        let ready = tokio::select! {
            ready = waiting => ready,
            () = connection.closed() => return Ok(()),
        };
        let Some(Ready { bottle, env, .. }) = ready else { return self.over(&mut connection).await };
        let stdio = match (request.terminal, connection.take_streams()) {
            (Some(terminal), _) => Stdio::Terminal(size(terminal)),
            (None, Some([stdin, stdout, stderr])) => Stdio::Streams { stdin, stdout, stderr },
            (None, None) => return connection.fail("exec needs three pipes or a terminal", None).await,
        };
        match bottle.spawn(build(request, env), stdio).await {
            Err(ExecError::Gone { .. }) if self.farewell.borrow().is_some() => self.over(&mut connection).await,
            Err(error) => connection.fail(&error.to_string(), None).await,
            Ok(process) => follow(process, connection, self.farewell.clone()).await,
        }
    }

    async fn over(&self, connection: &mut Connection) -> io::Result<()> {
        let farewell = *self.farewell.borrow();
        match farewell {
            Some(why) => connection.send(&Answer::Over(why), &[]).await,
            None => connection.fail("the session is ending", None).await,
        }
    }
}

/// Waits for the session's end.
async fn said(mut farewell: watch::Receiver<Option<Farewell>>) -> Farewell {
    let said = farewell.wait_for(Option::is_some).await.ok().and_then(|said| *said);
    match said {
        Some(why) => why,
        // Whoever would say it is gone without a word; this task goes with it.
        None => std::future::pending().await,
    }
}

fn build(request: ExecRequest, mut env: Vec<(OsString, Secret)>) -> Exec {
    env.extend(request.env.into_iter().map(|(name, value)| (OsString::from_vec(name), value.0)));
    let argv = request.argv.into_iter().map(OsString::from_vec).collect();
    Exec { argv, user: User::from(request.user), env, folder: None, stdin: Vec::new(), deadline: None }
}

/// Stays with a program until it ends, or its client or session does.
async fn follow(process: Process, mut connection: Connection, farewell: watch::Receiver<Option<Farewell>>) -> io::Result<()> {
    let Process { control, terminal } = process;
    let far: Vec<_> = terminal.iter().map(AsFd::as_fd).collect();
    if let Err(error) = connection.send(&Answer::Started, &far).await {
        drop(control.kill().await);
        return Err(error);
    }
    // Only the client holds it now: when the client dies, the terminal hangs up.
    drop(terminal);
    let mut ended = control.wait();
    let mut over = pin!(said(farewell));
    let outcome = loop {
        tokio::select! {
            biased;
            outcome = &mut ended => break outcome,
            // Closing the bottle ends the program: its own end would tell nobody why.
            why = &mut over => return connection.send(&Answer::Over(why), &[]).await,
            request = connection.next() => match request {
                Ok(Some(Request::Resize { rows, columns })) => drop(control.resize(size((rows, columns))).await),
                Ok(Some(Request::Signal(number))) => {
                    if let Some(signal) = signal(number) {
                        drop(control.signal(signal).await);
                    }
                }
                Ok(Some(Request::Stop | Request::Reload | Request::Exec(_))) => {}
                // The client is gone.
                Ok(None) | Err(_) => {
                    drop(control.kill().await);
                    return Ok(());
                }
            }
        }
    };
    drop(ended);
    match outcome {
        Ok(status) => connection.send(&Answer::from(status), &[]).await,
        Err(error) => connection.fail(&error.to_string(), None).await,
    }
}

struct Connection {
    stream: UnixStream,
    inbox: Inbox,
}

impl Connection {
    /// The next request; `None` when the client is gone. Safe to cancel.
    async fn next(&mut self) -> io::Result<Option<Request>> {
        loop {
            if let Some(request) = self.inbox.next()? {
                return Ok(Some(request));
            }
            let (stream, inbox) = (&self.stream, &mut self.inbox);
            if !stream.async_io(Interest::READABLE, || inbox.receive(stream)).await? {
                return Ok(None);
            }
        }
    }

    /// Waits until the client is gone; what it still says is dropped.
    async fn closed(&mut self) {
        while let Ok(Some(_)) = self.next().await {}
    }

    async fn send(&mut self, answer: &Answer, fds: &[std::os::fd::BorrowedFd<'_>]) -> io::Result<()> {
        let frame = frames::encode(answer)?;
        let (mut sent, stream) = (0, &self.stream);
        while sent < frame.len() {
            let fds = if sent == 0 { fds } else { &[] };
            sent += stream.async_io(Interest::WRITABLE, || frames::send(stream, &frame[sent..], fds)).await?;
        }
        Ok(())
    }

    async fn fail(&mut self, message: &str, hint: Option<&str>) -> io::Result<()> {
        self.send(&Answer::Failed { message: message.to_owned(), hint: hint.map(str::to_owned) }, &[]).await
    }

    /// The three descriptors of an exec, when there are three and each is a pipe or a socket: a program in the bottle holds
    /// them itself and must never get a file or a terminal of the host.
    fn take_streams(&mut self) -> Option<[OwnedFd; 3]> {
        let mut take = || self.inbox.take_fd().filter(is_pipe);
        Some([take()?, take()?, take()?])
    }
}

fn is_pipe(fd: &OwnedFd) -> bool {
    rustix::fs::fstat(fd).is_ok_and(|stat| matches!(FileType::from_raw_mode(stat.st_mode), FileType::Fifo | FileType::Socket))
}
