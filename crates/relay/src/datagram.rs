//! A question about a name, and the connection to the session that brings its answer.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::header::{Transport, proxy_header};
use crate::sys::{self, Addresses};

/// Longest answer: a datagram's (`udp(7)`).
const LONGEST: usize = 65_507;

/// One question.
pub struct Question {
    session: UnixStream,
    addresses: Addresses,
    answer: Vec<u8>,
}

impl Question {
    /// Hands one over: header, payload, end.
    pub fn hand_over(addresses: Addresses, payload: &[u8], session: &Path) -> io::Result<Self> {
        let mut session = sys::connect_unix(session)?;
        let (source, destination) = addresses.pair();
        session.write_all(&proxy_header(Transport::Datagram, source, destination))?;
        // A datagram fits what a fresh socket takes at once.
        session.write_all(payload)?;
        session.shutdown(Shutdown::Write)?;
        Ok(Self { session, addresses, answer: Vec::new() })
    }

    /// The connection to the session.
    pub fn socket(&self) -> BorrowedFd<'_> {
        self.session.as_fd()
    }

    /// Takes what has come of the answer; passes it on when it is whole. Gives whether the question is settled.
    pub fn settle(&mut self, buffer: &mut [u8], socket: &UdpSocket) -> io::Result<bool> {
        loop {
            match self.session.read(buffer) {
                Ok(0) if self.answer.is_empty() => return Ok(true),
                Ok(0) => return sys::send_from(socket, &self.answer, self.addresses).map(|()| true),
                Ok(got) => self.answer.extend_from_slice(&buffer[..got]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if self.answer.len() > LONGEST {
                return Err(ErrorKind::InvalidData.into());
            }
        }
    }
}
