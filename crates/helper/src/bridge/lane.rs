//! One descriptor of a request, seen from one side: what is read here is sent, what comes is written here.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{Shutdown, shutdown};

use super::pending::{Chunk, Pending};

/// Most bytes that are on their way in one direction of a lane, or wait at its end.
pub const WINDOW: usize = 512 << 10;
/// How much is written before the sender hears of it.
const ACKNOWLEDGE: usize = WINDOW / 4;

/// What a lane carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Messages of an exec channel, each whole.
    Messages,
    /// Bytes, one way.
    Bytes,
    /// Bytes, both ways; its end hangs up.
    Terminal,
}

/// One lane.
pub struct Lane {
    /// What it carries.
    pub kind: Kind,
    /// Read here.
    pub source: Option<OwnedFd>,
    /// Written here.
    pub sink: Option<OwnedFd>,
    /// How much may still be sent.
    pub credit: usize,
    /// What waits to be written.
    pub pending: Pending,
    /// Nothing more comes.
    ended: bool,
    unacknowledged: usize,
    /// Bytes sent so far.
    pub sent: u64,
    /// Bytes that have come so far.
    pub received: u64,
    /// Bytes written so far.
    pub written: u64,
}

/// What came of reading.
pub enum Read {
    /// This many bytes.
    Some(usize),
    /// Nothing at the moment.
    Later,
    /// Nothing ever again.
    End,
}

impl Lane {
    /// A lane that reads from `source` and writes to `sink`.
    pub fn new(kind: Kind, source: Option<OwnedFd>, sink: Option<OwnedFd>) -> io::Result<Self> {
        for fd in source.iter().chain(&sink) {
            rustix::io::ioctl_fionbio(fd, true)?;
        }
        Ok(Self {
            kind,
            source,
            sink,
            credit: WINDOW,
            pending: Pending::default(),
            ended: false,
            unacknowledged: 0,
            sent: 0,
            received: 0,
            written: 0,
        })
    }

    /// A lane both of whose directions are one socket or terminal.
    pub fn both(kind: Kind, fd: OwnedFd) -> io::Result<Self> {
        let other = fd.try_clone()?;
        Self::new(kind, Some(fd), Some(other))
    }

    /// Whether there is nothing left to do.
    pub fn is_done(&self) -> bool {
        self.source.is_none() && self.sink.is_none()
    }

    /// Reads bytes that may be sent.
    pub fn read(&mut self, buffer: &mut [u8]) -> Read {
        let Some(source) = &self.source else { return Read::Later };
        let most = buffer.len().min(self.credit);
        match rustix::io::read(source, &mut buffer[..most]) {
            Ok(0) => Read::End,
            Ok(got) => Read::Some(got),
            Err(Errno::AGAIN | Errno::INTR) => Read::Later,
            // EIO: the last program on a terminal is gone.
            Err(_gone) => Read::End,
        }
    }

    /// Notes that `count` bytes were sent.
    pub fn took_credit(&mut self, count: usize) {
        self.credit = self.credit.saturating_sub(count);
        self.sent += count as u64;
    }

    /// Takes what has come.
    ///
    /// # Errors
    /// When it is more than was allowed.
    pub fn accept(&mut self, chunk: Chunk) -> io::Result<()> {
        if self.ended || self.pending.len() + self.unacknowledged + chunk.bytes.len() > WINDOW {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "more than the window of a lane"));
        }
        self.received += chunk.bytes.len() as u64;
        match self.sink {
            Some(_) => self.pending.push(chunk),
            // Shut meanwhile; the sender hears of it.
            None => self.written = self.received,
        }
        Ok(())
    }

    /// Writes what waits. Gives how much the sender may be told of; an error means that nobody reads any more.
    pub fn write_bytes(&mut self) -> Result<Option<usize>, Errno> {
        while let (Some(sink), Some((_, bytes))) = (&self.sink, self.pending.first()) {
            match rustix::io::write(sink, bytes) {
                Ok(count) => self.wrote(count),
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.acknowledged())
    }

    /// Writes the first message that waits; `send` does it.
    pub fn write_message(&mut self, send: impl Fn(&OwnedFd, &Chunk) -> io::Result<()>) -> Result<Option<usize>, Errno> {
        if let (Some(sink), Some((chunk, bytes))) = (&self.sink, self.pending.first()) {
            let count = bytes.len();
            match send(sink, chunk) {
                Ok(()) => self.wrote(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(Errno::from_io_error(&error).unwrap_or(Errno::PIPE)),
            }
        }
        Ok(self.acknowledged())
    }

    fn wrote(&mut self, count: usize) {
        self.pending.written(count);
        self.written += count as u64;
        self.unacknowledged += count;
    }

    fn acknowledged(&mut self) -> Option<usize> {
        (self.unacknowledged >= ACKNOWLEDGE).then(|| std::mem::take(&mut self.unacknowledged))
    }

    /// Nobody reads any more.
    pub fn shut(&mut self) {
        self.sink = None;
        self.pending.clear();
        self.written = self.received;
    }

    /// The other side has no more to say.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Closes what is written to when all is written. Gives whether reading ended with it.
    pub fn close_if_finished(&mut self) -> bool {
        if !self.ended || !self.pending.is_empty() {
            return false;
        }
        let Some(sink) = self.sink.take() else { return false };
        match self.kind {
            Kind::Bytes => false,
            Kind::Messages => {
                // What is read from is the same socket: it stays, so closing alone would say nothing.
                let _ = shutdown(sink.as_fd(), Shutdown::Write);
                false
            }
            // Both at once, or the other side would not see the hang-up.
            Kind::Terminal => self.source.take().is_some(),
        }
    }
}
