//! One direction of a connection: a pipe between two sockets, through which the kernel moves the bytes.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::sys;

/// Room that a pipe asks for. More gains nothing measurable; less costs turns.
const ROOM: usize = 256 << 10;
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
    read: OwnedFd,
    write: OwnedFd,
    /// Bytes in the pipe.
    inside: usize,
    source_ended: bool,
    pub source_ready: bool,
    pub sink_ready: bool,
}

impl Direction {
    /// A direction in which nothing has moved yet.
    pub fn new() -> io::Result<Self> {
        let (read, write) = sys::pipe(ROOM)?;
        Ok(Self { read, write, inside: 0, source_ended: false, source_ready: true, sink_ready: true })
    }

    /// Moves what can be moved.
    pub fn turn(&mut self, source: BorrowedFd<'_>, sink: BorrowedFd<'_>) -> io::Result<Turn> {
        for _ in 0..TURNS {
            // Only into an empty pipe: a full one and a source with nothing to read fail with the same error.
            if self.inside == 0 && !self.source_ended && self.source_ready {
                match sys::move_bytes(source, self.write.as_fd(), ROOM) {
                    Ok(0) => self.source_ended = true,
                    Ok(count) => self.inside = count,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => self.source_ready = false,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            if self.inside > 0 && self.sink_ready {
                match sys::move_bytes(self.read.as_fd(), sink, self.inside) {
                    Ok(0) => return Err(ErrorKind::WriteZero.into()),
                    Ok(count) => self.inside -= count,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => self.sink_ready = false,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            match (self.inside, self.source_ended) {
                (0, true) => return Ok(Turn::Done),
                (0, false) if !self.source_ready => return Ok(Turn::Rests),
                (1.., _) if !self.sink_ready => return Ok(Turn::Rests),
                _ => {}
            }
        }
        Ok(Turn::Busy)
    }
}
