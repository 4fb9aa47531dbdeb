//! A connection of a program in the bottle, and the one to the session that goes with it.

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::direction::{Direction, Turn};
use crate::header::{Transport, proxy_header};
use crate::{Way, sys};

/// Whose socket something happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The program's.
    Program,
    /// The session's.
    Session,
}

/// Both sockets.
pub struct Connection {
    program: TcpStream,
    session: UnixStream,
    out: Direction,
    back: Direction,
    out_done: bool,
    back_done: bool,
}

impl Connection {
    /// Hands a connection that was just accepted over to the session.
    pub fn hand_over(program: TcpStream, source: SocketAddr, session: &Path, way: Way) -> io::Result<Self> {
        // What the program connected to: the socket's own address, because every address is local in there.
        let destination = program.local_addr()?;
        program.set_nonblocking(true)?;
        program.set_nodelay(true)?;
        let mut session = sys::connect_unix(session)?;
        // A socket that was just made has room for it.
        session.write_all(&proxy_header(Transport::Stream, source, destination))?;
        let (out, back) = (Direction::new(way)?, Direction::new(way)?);
        Ok(Self { program, session, out, back, out_done: false, back_done: false })
    }

    /// The socket of one end.
    pub fn socket(&self, end: End) -> BorrowedFd<'_> {
        match end {
            End::Program => self.program.as_fd(),
            End::Session => self.session.as_fd(),
        }
    }

    /// Notes what happened to one end.
    pub fn note(&mut self, end: End, flags: u32) {
        let (from, to) = match end {
            End::Program => (&mut self.out, &mut self.back),
            End::Session => (&mut self.back, &mut self.out),
        };
        from.source_ready |= flags & (sys::READABLE | sys::GONE) != 0;
        to.sink_ready |= flags & (sys::WRITABLE | sys::GONE) != 0;
    }

    /// Moves what can be moved, both ways. [`Turn::Done`] when both ends have said all, an error when one broke.
    pub fn turn(&mut self) -> io::Result<Turn> {
        let mut busy = false;
        if !self.out_done {
            match self.out.turn(self.program.as_fd(), self.session.as_fd())? {
                Turn::Done => {
                    self.out_done = true;
                    shut(self.session.shutdown(Shutdown::Write))?;
                }
                turn => busy |= turn == Turn::Busy,
            }
        }
        if !self.back_done {
            match self.back.turn(self.session.as_fd(), self.program.as_fd())? {
                Turn::Done => {
                    self.back_done = true;
                    shut(self.program.shutdown(Shutdown::Write))?;
                }
                turn => busy |= turn == Turn::Busy,
            }
        }
        Ok(match (self.out_done && self.back_done, busy) {
            (true, _) => Turn::Done,
            (false, true) => Turn::Busy,
            (false, false) => Turn::Rests,
        })
    }
}

/// An end that is gone already need not be told.
fn shut(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
        done => done,
    }
}
