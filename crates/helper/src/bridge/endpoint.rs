//! One end of the stream of bytes: a loop with one thread that never waits for a single descriptor.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::pipe::{PipeFlags, pipe_with};

use super::Side;
use super::conversation::{Conversation, LANES};
use super::frame::{self, CHUNK, HEADER, Header};
use super::lane::{self, Lane, Read};
use super::pending::Chunk;
use crate::wire::{self, FromExec, Request, ToExec};

/// Above this nothing more is read to be sent.
const ENOUGH: usize = 1 << 20;
/// How much is read of the stream of bytes at once.
const GULP: usize = 256 << 10;

/// A bridge at work.
pub struct Endpoint {
    side: Side,
    control: OwnedFd,
    incoming: OwnedFd,
    outgoing: OwnedFd,
    /// Has come and is no whole frame yet.
    inbox: Vec<u8>,
    /// To be sent, from `sent` on.
    outbox: Vec<u8>,
    sent: usize,
    conversations: BTreeMap<u32, Conversation>,
    next: u32,
    buffer: Vec<u8>,
}

/// Something that is waited for.
#[derive(Clone, Copy)]
enum Wait {
    Control,
    Incoming,
    Outgoing,
    Source(u32, usize),
    Sink(u32, usize),
}

impl Endpoint {
    /// As [`super::run`].
    pub fn new(side: Side, control: OwnedFd, incoming: OwnedFd, outgoing: OwnedFd) -> io::Result<Self> {
        for fd in [&incoming, &outgoing] {
            rustix::io::ioctl_fionbio(fd, true)?;
        }
        let buffer = vec![0; GULP];
        let conversations = BTreeMap::new();
        let (inbox, outbox) = (Vec::new(), Vec::new());
        Ok(Self { side, control, incoming, outgoing, inbox, outbox, sent: 0, conversations, next: 0, buffer })
    }

    /// Until one of the two streams ends.
    pub fn run(mut self) -> io::Result<()> {
        loop {
            for wait in self.wait()? {
                let goes_on = match wait {
                    Wait::Control => self.take_request()?,
                    Wait::Incoming => self.take_frames()?,
                    Wait::Outgoing => self.send()?,
                    Wait::Source(number, lane) => self.read(number, lane).map(|()| true)?,
                    Wait::Sink(number, lane) => self.write(number, lane).map(|()| true)?,
                };
                if !goes_on {
                    return Ok(());
                }
            }
            self.release()?;
            self.conversations.retain(|_, conversation| !conversation.is_done());
            // Most of the time there is room, and one turn less.
            if !self.send()? {
                return Ok(());
            }
        }
    }

    fn wait(&self) -> io::Result<Vec<Wait>> {
        let room = self.outbox.len() - self.sent < ENOUGH;
        let mut waits: Vec<(Wait, BorrowedFd<'_>, PollFlags)> =
            vec![(Wait::Control, self.control.as_fd(), PollFlags::IN), (Wait::Incoming, self.incoming.as_fd(), PollFlags::IN)];
        if self.outbox.len() > self.sent {
            waits.push((Wait::Outgoing, self.outgoing.as_fd(), PollFlags::OUT));
        }
        for (number, conversation) in &self.conversations {
            for (at, lane) in conversation.lanes.iter().enumerate() {
                let Some(lane) = lane else { continue };
                if let Some(source) = lane.source.as_ref().filter(|_| room && lane.credit > 0) {
                    waits.push((Wait::Source(*number, at), source.as_fd(), PollFlags::IN));
                }
                let deliver = !lane.pending.is_empty() && (at > 0 || conversation.may_deliver());
                if let Some(sink) = lane.sink.as_ref().filter(|_| deliver) {
                    waits.push((Wait::Sink(*number, at), sink.as_fd(), PollFlags::OUT));
                }
            }
        }
        let mut polled: Vec<_> = waits.iter().map(|(_, fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
        match poll(&mut polled, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready = waits.iter().zip(&polled).filter(|(_, polled)| !polled.revents().is_empty());
        Ok(ready.map(|((wait, ..), _)| *wait).collect())
    }

    /// The session asks for something. The helper's side hears nothing here but the stream's end.
    fn take_request(&mut self) -> io::Result<bool> {
        if self.side == Side::Helper {
            return Ok(false);
        }
        let Some((request, fds)) = wire::receive_frame::<Request>(self.control.as_fd())? else { return Ok(false) };
        let body = wire::encode(&request)?;
        let lanes = plan(&request).iter().zip(fds).map(|(lane, fd)| match lane {
            Planned::Channel => Lane::both(lane::Kind::Messages, fd),
            Planned::ToHelper => Lane::new(lane::Kind::Bytes, Some(fd), None),
            Planned::FromHelper => Lane::new(lane::Kind::Bytes, None, Some(fd)),
        });
        let conversation = Conversation::new(lanes.collect::<io::Result<Vec<_>>>()?);
        let number = self.next;
        self.next = self.next.checked_add(1).ok_or_else(|| io::Error::other("too many requests for one bottle"))?;
        self.conversations.insert(number, conversation);
        self.frame(frame::Kind::Open, number, 0, &body);
        Ok(true)
    }

    /// Hands a request to the helper, with descriptors of our own making.
    fn open(&mut self, number: u32, body: &[u8]) -> io::Result<()> {
        let request: Request = wire::decode(body)?;
        let mut lanes = Vec::with_capacity(LANES);
        let mut theirs = Vec::with_capacity(LANES);
        for planned in plan(&request) {
            let (lane, end) = match planned {
                Planned::Channel => {
                    let (ours, end) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
                    (Lane::both(lane::Kind::Messages, ours)?, end)
                }
                Planned::ToHelper => {
                    let (end, ours) = pipe()?;
                    (Lane::new(lane::Kind::Bytes, None, Some(ours))?, end)
                }
                Planned::FromHelper => {
                    let (ours, end) = pipe()?;
                    (Lane::new(lane::Kind::Bytes, Some(ours), None)?, end)
                }
            };
            lanes.push(lane);
            theirs.push(end);
        }
        let fds: Vec<_> = theirs.iter().map(AsFd::as_fd).collect();
        wire::send_frame(self.control.as_fd(), &request, &fds)?;
        self.conversations.insert(number, Conversation::new(lanes));
        Ok(())
    }

    fn take_frames(&mut self) -> io::Result<bool> {
        let got = match rustix::io::read(&self.incoming, &mut self.buffer) {
            Ok(0) => return Ok(false),
            Ok(got) => got,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(true),
            Err(Errno::CONNRESET) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        self.inbox.extend_from_slice(&self.buffer[..got]);
        let inbox = std::mem::take(&mut self.inbox);
        let mut at = 0;
        while let Some(header) = Header::decode(&inbox[at..])? {
            let Some(body) = inbox.get(at + HEADER..at + HEADER + header.length) else { break };
            self.obey(header, body)?;
            at += HEADER + header.length;
        }
        self.inbox = inbox;
        self.inbox.drain(..at);
        Ok(true)
    }

    fn obey(&mut self, header: Header, body: &[u8]) -> io::Result<()> {
        if header.kind == frame::Kind::Open {
            return match self.side {
                Side::Helper => self.open(header.conversation, body),
                Side::Session => Err(io::Error::new(io::ErrorKind::InvalidData, "the bottle asks for something")),
            };
        }
        // One that is over here may still be spoken of.
        let Some(conversation) = self.conversations.get_mut(&header.conversation) else { return Ok(()) };
        let after = conversation.received();
        if header.kind == frame::Kind::DataAndTerminal && self.side == Side::Session {
            return self.take_terminal(header.conversation, body, after);
        }
        let hurry = header.lane == 0 && header.kind == frame::Kind::Data && hurries(self.side.other(), body);
        conversation.hurried |= hurry;
        let Some(lane) = conversation.lanes.get_mut(header.lane).and_then(Option::as_mut) else { return Ok(()) };
        match header.kind {
            frame::Kind::Data => lane.accept(Chunk { bytes: body.to_vec(), terminal: None, after })?,
            frame::Kind::End => lane.end(),
            frame::Kind::Shut => lane.source = None,
            frame::Kind::Credit => {
                let more = body.first_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes)) as usize;
                lane.credit = lane.credit.saturating_add(more).min(lane::WINDOW);
            }
            frame::Kind::Open | frame::Kind::DataAndTerminal => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame out of place"));
            }
        }
        // What fits now needs no turn of its own.
        self.write(header.conversation, header.lane)
    }

    /// The program runs on a terminal: the session gets an end of a socket for it.
    fn take_terminal(&mut self, number: u32, body: &[u8], after: [u64; LANES]) -> io::Result<()> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        let Some(conversation) = self.conversations.get_mut(&number) else { return Ok(()) };
        if conversation.lanes[1].is_some() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a second terminal"));
        }
        conversation.add_terminal(ours)?;
        if let Some(channel) = &mut conversation.lanes[0] {
            channel.accept(Chunk { bytes: body.to_vec(), terminal: Some(theirs), after })?;
        }
        self.write(number, 0)
    }

    fn read(&mut self, number: u32, at: usize) -> io::Result<()> {
        let Some(conversation) = self.conversations.get_mut(&number) else { return Ok(()) };
        let Some(lane) = conversation.lanes.get_mut(at).and_then(Option::as_mut) else { return Ok(()) };
        if lane.kind == lane::Kind::Messages {
            return self.read_message(number);
        }
        match lane.read(&mut self.buffer[..CHUNK]) {
            Read::Later => {}
            Read::Some(got) => {
                lane.took_credit(got);
                push(&mut self.outbox, frame::Kind::Data, number, at, &self.buffer[..got]);
            }
            Read::End => {
                lane.source = None;
                if lane.kind == lane::Kind::Terminal {
                    // Hung up: nothing is typed any more.
                    lane.shut();
                }
                self.frame(frame::Kind::End, number, at, &[]);
            }
        }
        Ok(())
    }

    fn read_message(&mut self, number: u32) -> io::Result<()> {
        let Some(conversation) = self.conversations.get_mut(&number) else { return Ok(()) };
        let Some(source) = conversation.lanes[0].as_ref().and_then(|lane| lane.source.as_ref()) else { return Ok(()) };
        match wire::receive_raw(source.as_fd()) {
            Ok(Some((bytes, fds))) => {
                conversation.hurried |= hurries(self.side, &bytes);
                let terminal = fds.into_iter().next();
                conversation.hold(bytes, terminal.is_some());
                terminal.map_or(Ok(()), |terminal| conversation.add_terminal(terminal))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            // An end that was not read to its end says so first, once (`unix(7)`).
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(()),
            Ok(None) | Err(_) => {
                if let Some(lane) = &mut conversation.lanes[0] {
                    lane.source = None;
                }
                Ok(())
            }
        }
    }

    /// Sends the messages whose time has come, and after the last one of a channel its end.
    fn release(&mut self) -> io::Result<()> {
        let numbers: Vec<u32> = self.conversations.keys().copied().collect();
        for number in numbers {
            let Some(conversation) = self.conversations.get_mut(&number) else { continue };
            while let Some(held) = conversation.released() {
                if let Some(lane) = &mut conversation.lanes[0] {
                    lane.took_credit(held.bytes.len());
                }
                let kind = if held.terminal { frame::Kind::DataAndTerminal } else { frame::Kind::Data };
                push(&mut self.outbox, kind, number, 0, &held.bytes);
            }
            let over = conversation.held.is_empty() && !conversation.channel_ended;
            if over && conversation.lanes[0].as_ref().is_some_and(|lane| lane.source.is_none()) {
                conversation.channel_ended = true;
                push(&mut self.outbox, frame::Kind::End, number, 0, &[]);
            }
            self.write(number, 0)?;
        }
        Ok(())
    }

    /// Writes what waits on a lane, and closes it when that was all.
    fn write(&mut self, number: u32, at: usize) -> io::Result<()> {
        let Some(conversation) = self.conversations.get_mut(&number) else { return Ok(()) };
        let may_deliver = at > 0 || conversation.may_deliver();
        let Some(lane) = conversation.lanes.get_mut(at).and_then(Option::as_mut) else { return Ok(()) };
        let written = match lane.kind {
            lane::Kind::Messages if may_deliver => lane.write_message(|sink, chunk| {
                let terminal: Vec<_> = chunk.terminal.iter().map(AsFd::as_fd).collect();
                wire::send_raw(sink.as_fd(), &chunk.bytes, &terminal)
            }),
            lane::Kind::Messages => Ok(None),
            lane::Kind::Bytes | lane::Kind::Terminal => lane.write_bytes(),
        };
        match written {
            Ok(Some(count)) => {
                let count = u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes();
                push(&mut self.outbox, frame::Kind::Credit, number, at, &count);
            }
            Ok(None) => {}
            Err(_nobody_reads) => {
                lane.shut();
                push(&mut self.outbox, frame::Kind::Shut, number, at, &[]);
            }
        }
        if lane.close_if_finished() {
            push(&mut self.outbox, frame::Kind::End, number, at, &[]);
        }
        Ok(())
    }

    fn frame(&mut self, kind: frame::Kind, number: u32, lane: usize, body: &[u8]) {
        push(&mut self.outbox, kind, number, lane, body);
    }

    fn send(&mut self) -> io::Result<bool> {
        while self.sent < self.outbox.len() {
            match rustix::io::write(&self.outgoing, &self.outbox[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(Errno::AGAIN) => return Ok(true),
                Err(Errno::INTR) => {}
                Err(Errno::PIPE | Errno::CONNRESET) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        self.outbox.clear();
        self.sent = 0;
        Ok(true)
    }
}

fn push(outbox: &mut Vec<u8>, kind: frame::Kind, conversation: u32, lane: usize, body: &[u8]) {
    outbox.extend(Header { kind, lane, conversation, length: body.len() }.encode());
    outbox.extend_from_slice(body);
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    // Programs open their streams again by name (/dev/stderr), and they are another user than this process. Whoever has no
    // descriptor of it has no name for it either.
    match rustix::fs::fchmod(&read, rustix::fs::Mode::from_raw_mode(0o666)) {
        // gVisor's pipes have no modes to change, and take whoever opens them.
        Ok(()) | Err(Errno::PERM) => Ok((read, write)),
        Err(error) => Err(error.into()),
    }
}

/// What a descriptor of a request is for.
#[derive(Clone, Copy)]
enum Planned {
    Channel,
    ToHelper,
    FromHelper,
}

fn plan(request: &Request) -> &'static [Planned] {
    match request {
        Request::Spawn(spawn) if spawn.terminal.is_some() => &[Planned::Channel],
        Request::Spawn(_) => &[Planned::Channel, Planned::ToHelper, Planned::FromHelper, Planned::FromHelper],
        Request::Unpack(_) => &[Planned::Channel, Planned::ToHelper],
        Request::Pack { .. } => &[Planned::Channel, Planned::FromHelper],
        Request::Enter(_) | Request::Mapped | Request::Setup(_) => &[],
    }
}

/// Whether a message that `from` says means that nobody waits for the program's output any more.
fn hurries(from: Side, message: &[u8]) -> bool {
    match from {
        Side::Session => matches!(wire::decode(message), Ok(ToExec::KillTree)),
        Side::Helper => matches!(wire::decode(message), Ok(FromExec::DeadlinePassed)),
    }
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Session => Self::Helper,
            Self::Helper => Self::Session,
        }
    }
}
