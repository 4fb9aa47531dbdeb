use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bottle::testing::{FakeEvent, FakeKind, FakeProcess, FakeStream};

use crate::probe::{self, Event, Kind, Look, Start, Stream, System, Wire};

/// The probe as a program of a fake bottle: `FakeBackend::new().program("probe", testkit::fake_probe)`.
pub fn fake_probe(process: &mut FakeProcess) -> u8 {
    probe::run(&mut FakeSystem(process))
}

struct FakeSystem<'a>(&'a mut FakeProcess);

impl System for FakeSystem<'_> {
    fn args(&self) -> Vec<OsString> {
        self.0.argv.iter().skip(1).cloned().collect()
    }

    fn env(&self) -> Vec<(OsString, Vec<u8>)> {
        self.0.env.clone()
    }

    fn folder(&self) -> io::Result<PathBuf> {
        Ok(self.0.folder.as_path().to_owned())
    }

    fn ids(&self) -> (u32, u32) {
        (self.0.user.id(), self.0.user.id())
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }

    fn write(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        match stream {
            Stream::Stdout => self.0.write_stdout(bytes),
            Stream::Stderr => self.0.write_stderr(bytes),
        }
    }

    fn die(&mut self, signal: u8) -> io::Error {
        self.0.raise(signal);
        self.0.hold()
    }

    fn hold(&mut self) -> io::Error {
        self.0.hold()
    }

    fn catch(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Signal(signal) => self.0.catch(signal),
            Event::Resized => {}
        }
        Ok(())
    }

    fn next_event(&mut self) -> io::Result<Event> {
        Ok(match self.0.next_event()? {
            FakeEvent::Signal(signal) => Event::Signal(signal),
            FakeEvent::Resized => Event::Resized,
        })
    }

    /// A thread has neither parent nor session: a daemon differs in nothing but its name.
    fn start(&mut self, args: Vec<OsString>, how: Start) -> io::Result<()> {
        let argv = [OsString::from("probe")].into_iter().chain(args).collect();
        match how {
            Start::Child | Start::Daemon => self.0.start(argv, Arc::new(fake_probe)),
        }
    }

    fn terminal_size(&self) -> io::Result<(u16, u16)> {
        let terminal = self.0.terminal().ok_or(io::ErrorKind::Unsupported)?;
        Ok((terminal.size().rows, terminal.size().columns))
    }

    fn set_raw(&mut self, raw: bool) -> io::Result<()> {
        self.0.terminal().ok_or(io::ErrorKind::Unsupported)?.set_raw(raw);
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        self.0.files().list(self.0.user, &self.0.folder, path)
    }

    fn look(&self, path: &Path) -> io::Result<Look> {
        let stat = self.0.files().look(self.0.user, &self.0.folder, path)?;
        let kind = match stat.kind {
            FakeKind::File => Kind::File,
            FakeKind::Folder => Kind::Folder,
            FakeKind::Link => Kind::Link,
            FakeKind::Fifo => Kind::Other,
        };
        Ok(Look { kind, mode: stat.mode, uid: stat.owner.id(), mtime: i64::try_from(stat.mtime).unwrap_or(0) })
    }

    fn read_file(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.0.files().read(self.0.user, &self.0.folder, path).map(|content| content.to_vec())
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        self.0.files().read_link(self.0.user, &self.0.folder, path)
    }

    fn write_file(&mut self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.0.files().write(self.0.user, &self.0.folder, path, content)
    }

    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        self.0.files().make_folder(self.0.user, &self.0.folder, path)
    }

    fn make_link(&mut self, target: &Path, path: &Path) -> io::Result<()> {
        self.0.files().make_link(self.0.user, &self.0.folder, target, path, false)
    }

    fn make_fifo(&mut self, path: &Path) -> io::Result<()> {
        self.0.files().make_fifo(self.0.user, &self.0.folder, path)
    }

    fn set_mode(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        self.0.files().set_mode(self.0.user, &self.0.folder, path, mode)
    }

    fn connect(&mut self, address: SocketAddr) -> io::Result<Box<dyn Wire>> {
        Ok(Box::new(FakeWire(self.0.connect(address)?)))
    }

    fn ask(&mut self, address: SocketAddr, payload: &[u8]) -> io::Result<Vec<u8>> {
        self.0.ask(address, payload)
    }
}

struct FakeWire(FakeStream);

impl Read for FakeWire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for FakeWire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Wire for FakeWire {
    fn finish(&mut self) -> io::Result<()> {
        self.0.finish()
    }
}
