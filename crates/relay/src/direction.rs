//! One direction of a connection: bytes on their way between two sockets.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::{Way, sys};

/// Room for bytes on their way. More gains nothing measurable; less costs turns.
const ROOM: usize = 256 << 10;
/// The same where they are copied.
const COPIED: usize = 64 << 10;
/// Moves in one turn, so that one busy connection does not keep the others waiting.
const TURNS: usize = 16;

/// What came of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Nothing more can be moved until a socket changes.
    Rests,
    /// More could be moved at once.
    Busy,
    /// All has been moved that there will ever be.
    Done,
}

/// One direction.
pub struct Direction {
    passage: Passage,
    source_ended: bool,
    pub source_ready: bool,
    pub sink_ready: bool,
}

impl Direction {
    /// A direction in which nothing has moved yet.
    pub fn new(way: Way) -> io::Result<Self> {
        Ok(Self { passage: Passage::new(way)?, source_ended: false, source_ready: true, sink_ready: true })
    }

    /// Moves what can be moved.
    pub fn turn(&mut self, source: BorrowedFd<'_>, sink: BorrowedFd<'_>) -> io::Result<Turn> {
        for _ in 0..TURNS {
            // Only into an empty passage: a full pipe and a source with nothing to read fail with the same error.
            if self.passage.is_empty() && !self.source_ended && self.source_ready {
                match self.passage.take_from(source) {
                    Ok(0) => self.source_ended = true,
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => self.source_ready = false,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            if !self.passage.is_empty() && self.sink_ready {
                match self.passage.give_to(sink) {
                    Ok(0) => return Err(ErrorKind::WriteZero.into()),
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => self.sink_ready = false,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            match (self.passage.is_empty(), self.source_ended) {
                (true, true) => return Ok(Turn::Done),
                (true, false) if !self.source_ready => return Ok(Turn::Rests),
                (false, _) if !self.sink_ready => return Ok(Turn::Rests),
                _ => {}
            }
        }
        Ok(Turn::Busy)
    }
}

/// What bytes go through.
enum Passage {
    /// The kernel moves them, and the relay never sees them.
    Pipe { read: OwnedFd, write: OwnedFd, inside: usize },
    /// They are copied: gVisor's older ones lose bytes that `splice(2)` cannot deliver at once. Holds nothing while nothing is on its
    /// way.
    Buffer { bytes: Vec<u8>, given: usize },
}

impl Passage {
    fn new(way: Way) -> io::Result<Self> {
        match way {
            Way::Transparent => sys::pipe(ROOM).map(|(read, write)| Self::Pipe { read, write, inside: 0 }),
            Way::Explicit => Ok(Self::Buffer { bytes: Vec::new(), given: 0 }),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Pipe { inside, .. } => *inside == 0,
            Self::Buffer { bytes, given } => *given == bytes.len(),
        }
    }

    /// Only when it is empty.
    fn take_from(&mut self, source: BorrowedFd<'_>) -> io::Result<usize> {
        match self {
            Self::Pipe { write, inside, .. } => {
                *inside = sys::move_bytes(source, write.as_fd(), ROOM)?;
                Ok(*inside)
            }
            Self::Buffer { bytes, given } => {
                (*bytes, *given) = (vec![0; COPIED], 0);
                let got = sys::receive(source, bytes);
                bytes.truncate(*got.as_ref().unwrap_or(&0));
                if bytes.is_empty() {
                    *bytes = Vec::new();
                }
                got
            }
        }
    }

    fn give_to(&mut self, sink: BorrowedFd<'_>) -> io::Result<usize> {
        match self {
            Self::Pipe { read, inside, .. } => {
                let count = sys::move_bytes(read.as_fd(), sink, *inside)?;
                *inside = inside.saturating_sub(count);
                Ok(count)
            }
            Self::Buffer { bytes, given } => {
                let count = sys::send_bytes(sink, bytes.get(*given..).unwrap_or_default())?;
                *given += count;
                if *given == bytes.len() {
                    (*bytes, *given) = (Vec::new(), 0);
                }
                Ok(count)
            }
        }
    }
}
