use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// What the probe's verbs need of the system they run on. Calls that wait fail when the process is being killed, where the
/// system does not simply end it.
pub trait System {
    /// Arguments after the program's name.
    fn args(&self) -> Vec<OsString>;
    /// The whole environment.
    fn env(&self) -> Vec<(OsString, Vec<u8>)>;
    /// The working folder.
    fn folder(&self) -> io::Result<PathBuf>;
    /// Effective user and group number.
    fn ids(&self) -> (u32, u32);

    /// Reads from stdin; 0 at its end.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
    /// Writes everything.
    fn write(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()>;

    /// Sends itself a signal; returns only if that did not end it.
    fn die(&mut self, signal: u8) -> io::Error;
    /// Waits until it is killed.
    fn hold(&mut self) -> io::Error;
    /// From now on `event` is handed out by [`System::next_event`].
    fn catch(&mut self, event: Event) -> io::Result<()>;
    /// Waits for the event that is caught.
    fn next_event(&mut self) -> io::Result<Event>;
    /// Starts the probe with other arguments on the same streams.
    fn start(&mut self, args: Vec<OsString>, how: Start) -> io::Result<()>;

    /// Rows and columns of the terminal on stdin.
    fn terminal_size(&self) -> io::Result<(u16, u16)>;
    /// Raw mode on or off.
    fn set_raw(&mut self, raw: bool) -> io::Result<()>;

    /// The names in a folder.
    fn list(&self, path: &Path) -> io::Result<Vec<OsString>>;
    /// What stands there, without following a link.
    fn look(&self, path: &Path) -> io::Result<Look>;
    /// A file's content.
    fn read_file(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// A link's target.
    fn read_link(&self, path: &Path) -> io::Result<PathBuf>;
    /// Writes a file.
    fn write_file(&mut self, path: &Path, content: &[u8]) -> io::Result<()>;
    /// Makes a folder.
    fn make_folder(&mut self, path: &Path) -> io::Result<()>;
    /// Makes a symbolic link.
    fn make_link(&mut self, target: &Path, path: &Path) -> io::Result<()>;
    /// Makes a FIFO.
    fn make_fifo(&mut self, path: &Path) -> io::Result<()>;
    /// Sets permission bits.
    fn set_mode(&mut self, path: &Path, mode: u32) -> io::Result<()>;

    /// Connects.
    fn connect(&mut self, address: SocketAddr) -> io::Result<Box<dyn Wire>>;
    /// Sends one datagram and waits for one answer.
    fn ask(&mut self, address: SocketAddr, payload: &[u8]) -> io::Result<Vec<u8>>;
}

/// Where output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Something that happens to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A signal, by number.
    Signal(u8),
    /// Its terminal has a new size.
    Resized,
}

/// How a process is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// As a child.
    Child,
    /// As a daemon: in a session of its own, its parent gone.
    Daemon,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// What it is.
    pub kind: Kind,
    /// Permission bits, set-id and sticky bits included.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// Time of modification, in seconds since 1970.
    pub mtime: i64,
}

/// Kinds of things in a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// Anything else.
    Other,
}

/// A connection.
pub trait Wire: Read + Write {
    /// Sends the end of what is written.
    fn finish(&mut self) -> io::Result<()>;
}
