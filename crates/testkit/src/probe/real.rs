use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};

use super::{Event, Kind, Look, Start, Stream, System, Wire};

/// Longest wait for the answer to a datagram, so that a lost one ends the probe.
const ANSWER_BOUND: Duration = Duration::from_secs(20);
/// The hidden verb between a process and its daemon.
const DAEMONIZE: &str = "daemonize";

/// Runs the probe on the real system; returns the exit status.
pub fn main() -> u8 {
    let mut system = Real { caught: None, cooked: None };
    let args = system.args();
    match args.split_first() {
        Some((verb, rest)) if verb == DAEMONIZE => match daemonize(rest) {
            Ok(()) => 0,
            Err(_reported_by_its_parent) => super::WENT_WRONG,
        },
        Some(_) | None => super::run(&mut system),
    }
}

/// Leaves the session, starts the daemon and ends, so that the daemon has neither parent nor terminal.
fn daemonize(args: &[OsString]) -> io::Result<()> {
    // gVisor's older ones answer 0, in which a debug build of rustix does not believe, after the fact.
    std::panic::set_hook(Box::new(|_| {}));
    if let Ok(left) = std::panic::catch_unwind(rustix::process::setsid) {
        left?;
    }
    itself()?.args(args).spawn().map(drop)
}

#[expect(clippy::disallowed_methods, reason = "the probe starts itself, and nothing else")]
fn itself() -> io::Result<Command> {
    Ok(Command::new(std::env::current_exe()?))
}

struct Real {
    caught: Option<(tokio::runtime::Runtime, tokio::signal::unix::Signal, Event)>,
    cooked: Option<Termios>,
}

impl System for Real {
    fn args(&self) -> Vec<OsString> {
        std::env::args_os().skip(1).collect()
    }

    #[expect(clippy::disallowed_methods, reason = "showing its environment is what the probe is for")]
    fn env(&self) -> Vec<(OsString, Vec<u8>)> {
        std::env::vars_os().map(|(name, value)| (name, value.into_vec())).collect()
    }

    fn folder(&self) -> io::Result<PathBuf> {
        std::env::current_dir()
    }

    fn ids(&self) -> (u32, u32) {
        (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Not through std's buffer, which would read ahead.
        Ok(rustix::io::retry_on_intr(|| rustix::io::read(rustix::stdio::stdin(), &mut *buffer))?)
    }

    fn write(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let fd = match stream {
            Stream::Stdout => rustix::stdio::stdout(),
            Stream::Stderr => rustix::stdio::stderr(),
        };
        let mut rest = bytes;
        while !rest.is_empty() {
            let written = rustix::io::retry_on_intr(|| rustix::io::write(fd, rest))?;
            rest = &rest[written..];
        }
        Ok(())
    }

    fn die(&mut self, signal: u8) -> io::Error {
        let Some(signal) = Signal::from_named_raw(i32::from(signal)) else { return super::wrong("no such signal") };
        // Rust's handler for SIGSEGV and SIGBUS swallows the first one and puts the default back.
        for _ in 0..3 {
            if let Err(error) = rustix::process::kill_process(rustix::process::getpid(), signal) {
                return error.into();
            }
        }
        super::wrong("survived its signal")
    }

    fn hold(&mut self) -> io::Error {
        loop {
            std::thread::park();
        }
    }

    fn catch(&mut self, event: Event) -> io::Result<()> {
        let kind = match event {
            Event::Signal(number) => SignalKind::from_raw(i32::from(number)),
            Event::Resized => SignalKind::window_change(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let signals = runtime.block_on(async { signal(kind) })?;
        self.caught = Some((runtime, signals, event));
        Ok(())
    }

    fn next_event(&mut self) -> io::Result<Event> {
        let Some((runtime, signals, event)) = &mut self.caught else { return Err(super::wrong("nothing is caught")) };
        match runtime.block_on(signals.recv()) {
            Some(()) => Ok(*event),
            None => Err(super::wrong("no more signals")),
        }
    }

    fn start(&mut self, args: Vec<OsString>, how: Start) -> io::Result<()> {
        match how {
            Start::Child => itself()?.args(args).spawn().map(drop),
            Start::Daemon => {
                let status = itself()?.arg(DAEMONIZE).args(args).status()?;
                if status.success() { Ok(()) } else { Err(super::wrong(&format!("daemonizing: {status}"))) }
            }
        }
    }

    fn terminal_size(&self) -> io::Result<(u16, u16)> {
        let size = tcgetwinsize(rustix::stdio::stdin())?;
        Ok((size.ws_row, size.ws_col))
    }

    fn set_raw(&mut self, raw: bool) -> io::Result<()> {
        let terminal = rustix::stdio::stdin();
        let mode = match (raw, self.cooked.take()) {
            (true, _) => {
                let mut mode = tcgetattr(terminal)?;
                self.cooked = Some(mode.clone());
                mode.make_raw();
                mode
            }
            (false, Some(cooked)) => cooked,
            (false, None) => return Ok(()),
        };
        Ok(tcsetattr(terminal, OptionalActions::Now, &mode)?)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
    }

    fn look(&self, path: &Path) -> io::Result<Look> {
        let stat = fs::symlink_metadata(path)?;
        let kind = match stat.file_type() {
            kind if kind.is_file() => Kind::File,
            kind if kind.is_dir() => Kind::Folder,
            kind if kind.is_symlink() => Kind::Link,
            _special => Kind::Other,
        };
        Ok(Look { kind, mode: stat.mode() & 0o7777, uid: stat.uid(), mtime: stat.mtime() })
    }

    fn read_file(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        fs::read_link(path)
    }

    fn write_file(&mut self, path: &Path, content: &[u8]) -> io::Result<()> {
        File::create(path)?.write_all(content)
    }

    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn make_link(&mut self, target: &Path, path: &Path) -> io::Result<()> {
        symlink(target, path)
    }

    fn make_fifo(&mut self, path: &Path) -> io::Result<()> {
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        Ok(rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0)?)
    }

    fn set_mode(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    }

    #[expect(clippy::disallowed_methods, reason = "the probe tries, from inside a bottle, what an agent may try")]
    fn connect(&mut self, address: SocketAddr) -> io::Result<Box<dyn Wire>> {
        Ok(Box::new(TcpStream::connect(address)?))
    }

    fn ask(&mut self, address: SocketAddr, payload: &[u8]) -> io::Result<Vec<u8>> {
        let any: SocketAddr = if address.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
        let socket = UdpSocket::bind(any)?;
        socket.set_read_timeout(Some(ANSWER_BOUND))?;
        socket.connect(address)?;
        socket.send(payload)?;
        let mut answer = vec![0; 65_535];
        let length = socket.recv(&mut answer)?;
        answer.truncate(length);
        Ok(answer)
    }
}

impl Wire for TcpStream {
    fn finish(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}
