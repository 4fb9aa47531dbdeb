//! The loop: accepts, hands over, moves bytes. One thread, which never waits for a single socket.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use crate::Way;
use crate::connection::{Connection, End};
use crate::datagram::Question;
use crate::direction::Turn;
use crate::listeners::Listeners;
use crate::sys::{self, Epoll, Event, ON_CHANGE, READABLE, WRITABLE};

/// Connections at once, where descriptors allow it; what is more is closed at once, as by a server that is overloaded.
const MOST_CONNECTIONS: u64 = 2048;
/// Descriptors of each: two sockets and two pipes.
const DESCRIPTORS: u64 = 6;
/// Descriptors for all else: listeners, questions.
const RESERVED: u64 = 300;
/// Questions that wait for an answer; the oldest makes room.
const MOST_QUESTIONS: usize = 256;
/// Accepted in one turn.
const ACCEPTS: usize = 32;
/// Port of the questions.
const DNS: u16 = 53;

/// Numbers of what is watched: the session's life, the questions' socket, then listeners, then two for each connection.
const SESSION: u64 = 0;
const DATAGRAMS: u64 = 1;
const FIRST_LISTENER: u64 = 2;
const FIRST_FREE: u64 = 64;

/// A relay at work.
pub struct Relay {
    epoll: Epoll,
    streams: Vec<TcpListener>,
    datagrams: Option<UdpSocket>,
    /// The session's life: it never says anything, and its end is ours.
    session: UnixStream,
    socket: PathBuf,
    way: Way,
    connections: BTreeMap<u64, Connection>,
    questions: BTreeMap<u64, Question>,
    /// Connections that could move more at once.
    busy: VecDeque<u64>,
    most: usize,
    next: u64,
    buffer: Vec<u8>,
}

impl Relay {
    /// Watches everything, with at most so many `descriptors`.
    pub fn new(way: Way, listeners: Listeners, session: UnixStream, socket: PathBuf, descriptors: u64) -> io::Result<Self> {
        let Listeners { streams, datagrams } = listeners;
        let epoll = Epoll::new()?;
        let most = (descriptors.saturating_sub(RESERVED) / DESCRIPTORS).clamp(1, MOST_CONNECTIONS);
        epoll.add(session.as_fd(), READABLE, SESSION)?;
        for (number, listener) in (FIRST_LISTENER..).zip(&streams) {
            epoll.add(listener.as_fd(), READABLE, number)?;
        }
        if let Some(datagrams) = &datagrams {
            epoll.add(datagrams.as_fd(), READABLE, DATAGRAMS)?;
        }
        let (connections, questions, busy) = (BTreeMap::new(), BTreeMap::new(), VecDeque::new());
        Ok(Self {
            epoll,
            streams,
            datagrams,
            session,
            socket,
            way,
            connections,
            questions,
            busy,
            most: usize::try_from(most).unwrap_or(1),
            next: FIRST_FREE,
            buffer: vec![0; 64 << 10],
        })
    }

    /// Until the session ends.
    pub fn run(mut self) -> io::Result<()> {
        let mut events = [Event { flags: 0, number: 0 }; 64];
        loop {
            let count = if self.busy.is_empty() { self.epoll.wait(&mut events)? } else { self.epoll.look(&mut events)? };
            for event in &events[..count] {
                let Event { flags, number } = *event;
                match number {
                    SESSION => return self.last_word(),
                    DATAGRAMS => self.ask(),
                    FIRST_LISTENER..FIRST_FREE => self.accept(number - FIRST_LISTENER),
                    number => self.happened(number, flags),
                }
            }
            for _ in 0..self.busy.len() {
                if let Some(number) = self.busy.pop_front() {
                    self.turn(number);
                }
            }
        }
    }

    /// The session has closed its end, or said something, which it never does.
    fn last_word(self) -> io::Result<()> {
        drop(self.session);
        Ok(())
    }

    fn accept(&mut self, listener: u64) {
        let Some(listener) = usize::try_from(listener).ok().and_then(|number| self.streams.get(number)) else { return };
        for _ in 0..ACCEPTS {
            let Ok((program, source)) = listener.accept() else { return };
            if self.connections.len() >= self.most {
                continue;
            }
            // A session that is not there, or does not keep up: the program sees its connection closed.
            let Ok(connection) = Connection::hand_over(program, source, &self.socket, self.way) else { continue };
            let number = self.next;
            self.next += 2;
            let watched = [(End::Program, number), (End::Session, number + 1)]
                .into_iter()
                .try_for_each(|(end, number)| self.epoll.add(connection.socket(end), READABLE | WRITABLE | ON_CHANGE, number));
            if watched.is_ok() {
                self.connections.insert(number, connection);
                self.busy.push_back(number);
            }
        }
    }

    /// Asks the session what programs ask of any address.
    fn ask(&mut self) {
        let Some(datagrams) = &self.datagrams else { return };
        for _ in 0..ACCEPTS {
            let Ok((length, addresses)) = sys::receive_from(datagrams, &mut self.buffer, DNS) else { return };
            let Ok(question) = Question::hand_over(addresses, &self.buffer[..length], &self.socket) else { continue };
            while self.questions.len() >= MOST_QUESTIONS {
                self.questions.pop_first();
            }
            let number = self.next;
            self.next += 2;
            if self.epoll.add(question.socket(), READABLE, number).is_ok() {
                self.questions.insert(number, question);
            }
        }
    }

    fn happened(&mut self, number: u64, flags: u32) {
        if let (Some(question), Some(datagrams)) = (self.questions.get_mut(&number), &self.datagrams) {
            // An answer that cannot be passed on is lost, as datagrams are.
            if question.settle(&mut self.buffer, datagrams).unwrap_or(true) {
                self.questions.remove(&number);
            }
            return;
        }
        let (first, end) = if number.is_multiple_of(2) { (number, End::Program) } else { (number - 1, End::Session) };
        if let Some(connection) = self.connections.get_mut(&first) {
            connection.note(end, flags);
            self.turn(first);
        }
    }

    fn turn(&mut self, number: u64) {
        let Some(connection) = self.connections.get_mut(&number) else { return };
        match connection.turn() {
            Ok(Turn::Rests) => {}
            Ok(Turn::Busy) if self.busy.contains(&number) => {}
            Ok(Turn::Busy) => self.busy.push_back(number),
            Ok(Turn::Done) | Err(_) => {
                self.connections.remove(&number);
            }
        }
    }
}
