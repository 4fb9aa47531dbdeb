use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::{Side, run};
use crate::wire::{FromExec, Request, Spawn, ToExec, receive_frame, receive_packet, send_frame, send_packet};

/// Both bridges, with the test as both neighbours.
struct World {
    session: OwnedFd,
    helper: OwnedFd,
    bridges: Vec<JoinHandle<std::io::Result<()>>>,
}

impl World {
    fn new() -> Self {
        let pair = || UnixStream::pair().unwrap();
        let ((session, to_session), (helper, to_helper), (left, right)) = (pair(), pair(), pair());
        let bridge = |side, control: UnixStream, stream: UnixStream| {
            let outgoing = stream.try_clone().unwrap();
            std::thread::spawn(move || run(side, control.into(), stream.into(), outgoing.into()))
        };
        let bridges = vec![bridge(Side::Session, to_session, left), bridge(Side::Helper, to_helper, right)];
        Self { session: session.into(), helper: helper.into(), bridges }
    }

    /// Asks for something; gives the session's end of the exec channel, and what the helper gets.
    fn ask(&self, request: &Request, fds: Vec<OwnedFd>) -> (OwnedFd, Request, Vec<OwnedFd>) {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        let all: Vec<_> = std::iter::once(&theirs).chain(&fds).map(AsFd::as_fd).collect();
        send_frame(self.session.as_fd(), request, &all).unwrap();
        drop(fds);
        let (request, fds) = receive_frame(self.helper.as_fd()).unwrap().unwrap();
        (ours, request, fds)
    }

    /// Ends the session.
    fn end(self) {
        drop(self.session);
        for bridge in self.bridges {
            bridge.join().unwrap().unwrap();
        }
        assert!(receive_frame::<Request>(self.helper.as_fd()).unwrap().is_none(), "the helper sees the end");
    }
}

fn heard(channel: &OwnedFd) -> FromExec {
    receive_packet(channel.as_fd()).unwrap().unwrap().0
}

fn spawn(terminal: Option<(u16, u16)>) -> Request {
    let argv = vec![b"/bin/true".to_vec()];
    Request::Spawn(Spawn { argv, env: Vec::new(), folder: b"/".to_vec(), root: false, terminal, deadline: None })
}

fn pack() -> Request {
    Request::Pack { from: b"/x".to_vec() }
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|number| (number % 251) as u8).collect()
}

#[test]
fn bytes_come_whole_and_before_the_message_that_follows_them() {
    let world = World::new();
    for length in [0, 1, 70_000, 3_000_000] {
        let (mut read, write) = std::io::pipe().unwrap();
        let (channel, request, fds) = world.ask(&pack(), vec![write.into()]);
        assert!(matches!(request, Request::Pack { from } if from == b"/x"));
        let helping = std::thread::spawn(move || {
            let [answers, stream] = <[OwnedFd; 2]>::try_from(fds).unwrap();
            File::from(stream).write_all(&pattern(length)).unwrap();
            send_packet(answers.as_fd(), &FromExec::Done, &[]).unwrap();
        });
        let mut bytes = Vec::new();
        read.read_to_end(&mut bytes).unwrap();
        assert!(bytes == pattern(length), "{} of {length} bytes", bytes.len());
        assert_eq!(heard(&channel), FromExec::Done);
        helping.join().unwrap();
        assert!(receive_packet::<FromExec>(channel.as_fd()).unwrap().is_none(), "the channel ends with the helper's end");
    }
    world.end();
}

/// What a program wrote last is in its pipe when the news of its end comes: whoever hears that reads no further.
#[test]
fn when_the_end_is_heard_the_output_is_there() {
    let world = World::new();
    for _ in 0..50 {
        let pipes = || std::io::pipe().unwrap();
        let ((stdin, typed), (mut read, stdout), (_errors, stderr)) = (pipes(), pipes(), pipes());
        let (channel, _, fds) = world.ask(&spawn(None), vec![stdin.into(), stdout.into(), stderr.into()]);
        let [answers, _stdin, stdout, _stderr] = <[OwnedFd; 4]>::try_from(fds).unwrap();
        let mut daemon = File::from(stdout);
        daemon.write_all(&pattern(50_000)).unwrap();
        send_packet(answers.as_fd(), &FromExec::Exited(0), &[]).unwrap();
        assert_eq!(heard(&channel), FromExec::Exited(0));
        assert_eq!(rustix::io::ioctl_fionread(&read).unwrap(), 50_000);
        // Somebody still holds the stream, and goes on.
        daemon.write_all(b"more").unwrap();
        drop((daemon, typed));
        let mut rest = Vec::new();
        read.read_to_end(&mut rest).unwrap();
        assert!(rest.ends_with(b"more") && rest.len() == 50_004);
    }
    world.end();
}

#[test]
fn a_reader_that_does_not_read_holds_up_nobody_else_and_keeps_nobody_alive() {
    let world = World::new();
    let pipes = || std::io::pipe().unwrap();
    let ((stdin, _typed), (unread, stdout), (_errors, stderr)) = (pipes(), pipes(), pipes());
    let (slow, _, fds) = world.ask(&spawn(None), vec![stdin.into(), stdout.into(), stderr.into()]);
    let [answers, _stdin, stdout, _stderr] = <[OwnedFd; 4]>::try_from(fds).unwrap();
    let flood = std::thread::spawn(move || File::from(stdout).write_all(&pattern(20_000_000)));
    // Another conversation meanwhile.
    let (mut read, write) = std::io::pipe().unwrap();
    let (_channel, _, fds) = world.ask(&pack(), vec![write.into()]);
    let [_answers, stream] = <[OwnedFd; 2]>::try_from(fds).unwrap();
    File::from(stream).write_all(b"through").unwrap();
    let mut text = [0; 7];
    read.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"through");
    // Whoever kills the program hears of its end although nobody reads what it wrote.
    send_packet(slow.as_fd(), &ToExec::KillTree, &[]).unwrap();
    assert!(matches!(receive_packet(answers.as_fd()).unwrap().unwrap().0, ToExec::KillTree));
    send_packet(answers.as_fd(), &FromExec::Killed(9), &[]).unwrap();
    assert_eq!(heard(&slow), FromExec::Killed(9));
    // A reader that is gone is told to the writer.
    drop(unread);
    assert_eq!(flood.join().unwrap().unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
    world.end();
}

#[test]
fn a_terminal_goes_both_ways_and_hangs_up() {
    let world = World::new();
    let (channel, _, fds) = world.ask(&spawn(Some((24, 80))), Vec::new());
    let [answers] = <[OwnedFd; 1]>::try_from(fds).unwrap();
    let (caller, mut program) = UnixStream::pair().unwrap();
    send_packet(answers.as_fd(), &FromExec::Started, &[caller.as_fd()]).unwrap();
    drop(caller);
    let (started, terminal) = receive_packet::<FromExec>(channel.as_fd()).unwrap().unwrap();
    let [terminal] = <[OwnedFd; 1]>::try_from(terminal).unwrap();
    assert_eq!(started, FromExec::Started);
    let mut terminal = UnixStream::from(terminal);
    terminal.write_all(b"typed").unwrap();
    let mut text = [0; 5];
    program.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"typed");
    program.write_all(b"shown").unwrap();
    terminal.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"shown");
    drop(terminal);
    assert_eq!(program.read(&mut text).unwrap(), 0, "the program's side is hung up");
    world.end();
}

#[test]
fn whoever_breaks_the_rules_ends_the_bridge() {
    // A kind that there is not; a length beyond all; the bottle asking the session; more than a window on a lane.
    let header = |kind: u8, length: u32| [&[kind, 0, 0, 0, 0, 0, 0, 0][..], &length.to_le_bytes()].concat();
    for bytes in [header(9, 0), header(2, u32::MAX), header(1, 0), header(6, 5)] {
        let (control, _session) = UnixStream::pair().unwrap();
        let (stream, mut bottle) = UnixStream::pair().unwrap();
        let outgoing = stream.try_clone().unwrap();
        let bridge = std::thread::spawn(move || run(Side::Session, control.into(), stream.into(), outgoing.into()));
        bottle.write_all(&bytes).unwrap();
        assert!(bridge.join().unwrap().is_err(), "{bytes:?}");
    }
}
