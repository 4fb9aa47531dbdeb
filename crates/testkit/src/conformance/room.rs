use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bottle::{
    Arrival, Bottle, BottleName, CopyError, Destination, Exec, GuestPath, Outlet, Output, Process, Stdio, TerminalSize, Tree,
    User,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::unix::pipe;
use tokio::time::timeout;

use super::{BOUND, Harness, Screen};
use crate::probe::Walked;

/// A bottle for one check, with the probe in it.
pub struct Room {
    /// Where it came from, for checks that need a second one.
    pub harness: Arc<dyn Harness>,
    /// The bottle.
    pub bottle: Arc<dyn Bottle>,
    /// Its way out.
    pub outlet: Box<dyn Outlet>,
}

/// A program that was started on streams.
pub struct Spawned {
    /// Its handle.
    pub process: Process,
    /// What it reads; drop it to end its stdin.
    pub stdin: Option<pipe::Sender>,
    /// What it prints.
    pub stdout: BufReader<pipe::Receiver>,
    /// What it complains.
    pub stderr: BufReader<pipe::Receiver>,
}

impl Room {
    /// Where the probe is.
    pub const PROBE: &str = "/opt/probe";
    /// Where the explicit proxy is in every bottle.
    pub const PROXY: &str = "127.0.0.1:3128";

    /// Makes a bottle; `None`, and a line that says why, when this machine may lack the backend and does.
    pub async fn open(harness: Arc<dyn Harness>) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("check-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let backend = harness.backend();
        match (backend.check().await, harness.may_be_missing()) {
            (Err(missing), Some(component)) => {
                crate::require(component, &missing.to_string());
                return None;
            }
            (answer, _) => answer.expect("the backend runs here"),
        };
        let spec = harness.spec(BottleName::parse(&name).expect("a good name"));
        let launched = backend.launch(&spec).await.expect("a bottle");
        let room = Self { harness: harness.clone(), bottle: launched.bottle, outlet: launched.outlet };
        room.copy(&harness.probe(), Self::PROBE, User::Root).await.expect("the probe goes in");
        Some(room)
    }

    /// A second bottle of the same backend.
    pub async fn another(&self) -> Self {
        Self::open(self.harness.clone()).await.expect("the first one was not skipped")
    }

    /// The probe with these arguments, as `node`.
    pub fn probe(&self, args: &[impl AsRef<OsStr>]) -> Exec {
        Exec::new(Self::PROBE).args(args)
    }

    /// Runs a program that must run, however it ends.
    pub async fn run(&self, exec: Exec) -> Output {
        let shown = format!("{exec:?}");
        let output = timeout(BOUND, self.bottle.exec(exec)).await;
        output
            .unwrap_or_else(|_| panic!("{shown} did not end within {BOUND:?}"))
            .unwrap_or_else(|error| panic!("{shown}: {error}"))
    }

    /// Runs the probe as `node`; it must succeed. Returns its stdout.
    pub async fn ok(&self, args: &[impl AsRef<OsStr>]) -> Vec<u8> {
        self.ok_as(User::Node, args).await
    }

    /// The same as another user.
    pub async fn ok_as(&self, user: User, args: &[impl AsRef<OsStr>]) -> Vec<u8> {
        let exec = self.probe(args).user(user);
        let shown = format!("{exec:?}");
        let output = self.run(exec).await;
        assert!(output.status.success(), "{shown}: {:?}: {}", output.status, String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Everything at and below `path` as `user` sees it.
    pub async fn walk(&self, user: User, path: &str) -> BTreeMap<PathBuf, Walked> {
        let lines = String::from_utf8(self.ok_as(user, &["walk", path]).await).expect("lines of text");
        let entries = lines.lines().map(|line| Walked::parse(line).unwrap_or_else(|| panic!("no entry: {line}")));
        entries.map(|entry| (entry.path.clone(), entry)).collect()
    }

    /// Whether something stands at `path`.
    pub async fn is_there(&self, user: User, path: &str) -> bool {
        self.run(self.probe(&["walk", path]).user(user)).await.status.success()
    }

    /// Copies in.
    pub async fn copy(&self, tree: &Tree, into: &str, owner: User) -> Result<(), CopyError> {
        let copy = timeout(BOUND, self.bottle.cp_in(tree, &guest(into), owner)).await;
        copy.unwrap_or_else(|_| panic!("copying to {into} did not end within {BOUND:?}"))
    }

    /// Starts a program on pipes.
    pub async fn spawn(&self, exec: Exec) -> Spawned {
        let pipe = || std::io::pipe().expect("a pipe");
        let ((their_stdin, stdin), (stdout, their_stdout), (stderr, their_stderr)) = (pipe(), pipe(), pipe());
        let stdio = Stdio::Streams { stdin: their_stdin.into(), stdout: their_stdout.into(), stderr: their_stderr.into() };
        let process = self.bottle.spawn(exec, stdio).await.expect("the program starts");
        let receiver = |pipe: std::io::PipeReader| BufReader::new(pipe::Receiver::from_owned_fd(pipe.into()).expect("a pipe"));
        let stdin = Some(pipe::Sender::from_owned_fd(stdin.into()).expect("a pipe"));
        Spawned { process, stdin, stdout: receiver(stdout), stderr: receiver(stderr) }
    }

    /// Starts a program on a terminal.
    pub async fn on_terminal(&self, exec: Exec, rows: u16, columns: u16) -> (Process, Screen) {
        let mut process =
            self.bottle.spawn(exec, Stdio::Terminal(TerminalSize { rows, columns })).await.expect("the program starts");
        let terminal = process.terminal.take().expect("a terminal");
        (process, Screen::new(terminal))
    }

    /// The next thing that leaves the bottle.
    pub async fn arrival(&mut self) -> Arrival {
        let arrival = timeout(BOUND, self.outlet.accept()).await;
        arrival.expect("nothing arrived in time").expect("an arrival")
    }

    /// The next thing that leaves, which must be a connection.
    pub async fn connection(&mut self) -> (Destination, Box<dyn bottle::ByteStream>) {
        match self.arrival().await {
            Arrival::Stream { destination, stream } => (destination, stream),
            Arrival::Datagram { destination, .. } => panic!("a datagram to {destination:?} instead of a connection"),
        }
    }

    /// The next connection, and the line that a held process says on it.
    pub async fn announced(&mut self) -> (String, BufReader<Box<dyn bottle::ByteStream>>) {
        let (_, stream) = self.connection().await;
        let mut stream = BufReader::new(stream);
        (line_of(&mut stream).await, stream)
    }

    /// Closes the bottle, which must work.
    pub async fn close(self) {
        timeout(BOUND, self.bottle.close()).await.expect("closing ends").expect("closing works");
    }
}

impl Spawned {
    /// The next line of its stdout, without the line's end; empty at the end of the stream.
    pub async fn line(&mut self) -> String {
        line_of(&mut self.stdout).await
    }

    /// The rest of its stdout, up to its end: then nothing in the bottle holds the stream any more.
    pub async fn rest(&mut self) -> Vec<u8> {
        ended(&mut self.stdout).await
    }

    /// How it ended.
    pub async fn end(&self) -> Result<bottle::ExitStatus, bottle::ExecError> {
        timeout(BOUND, self.process.control.wait()).await.expect("the program ends")
    }
}

/// A path in a bottle.
pub(super) fn guest(path: &str) -> GuestPath {
    GuestPath::parse(path).expect("a good path")
}

/// Reads a stream to its end. A connection that is torn down counts as ended.
pub(super) async fn ended(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ended_or_reset = timeout(BOUND, stream.read_to_end(&mut bytes)).await.expect("the stream ends: its holders are dead");
    bytes
}

async fn line_of(stream: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> String {
    let mut line = String::new();
    timeout(BOUND, stream.read_line(&mut line)).await.expect("a line in time").expect("a line of text");
    line.trim_end_matches('\n').to_owned()
}
