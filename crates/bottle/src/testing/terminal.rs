use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, Weak};

use rustix::event::PollFlags;
use rustix::net::{AddressFamily, SendFlags, Shutdown, SocketFlags, SocketType, shutdown, socketpair};

use super::interrupt::{Interrupt, never_block};
use super::job::Job;
use super::locked;
use super::process::FakeEvent;
use crate::TerminalSize;

/// A terminal: a socket to the caller, and of the kernel's line discipline (`termios(3)`) what programs notice: echo, lines,
/// Ctrl-C, Ctrl-\, Ctrl-D, erase, newline translation.
#[derive(Debug)]
pub(super) struct Line {
    socket: OwnedFd,
    typed: Interrupt,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    size: TerminalSize,
    raw: bool,
    /// The line that is being typed.
    editing: Vec<u8>,
    /// What programs may read.
    ready: VecDeque<u8>,
    /// Ctrl-D on an empty line, or the caller is gone.
    ended: bool,
}

impl Line {
    /// Makes a terminal for the processes of `job`; returns the caller's side too.
    pub(super) fn open(size: TerminalSize, job: &Arc<Job>) -> io::Result<(Arc<Self>, OwnedFd)> {
        let (socket, callers) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        never_block(&socket)?;
        let state = State { size, raw: false, editing: Vec::new(), ready: VecDeque::new(), ended: false };
        let line = Arc::new(Self { socket, typed: Interrupt::new()?, state: Mutex::new(state) });
        let (keyboard, reader, job) = (line.socket.try_clone()?, Arc::downgrade(&line), Arc::downgrade(job));
        std::thread::Builder::new().name("fake terminal".to_owned()).spawn(move || type_in(&keyboard, &reader, &job))?;
        Ok((line, callers))
    }

    pub(super) fn size(&self) -> TerminalSize {
        locked(&self.state).size
    }

    pub(super) fn resize(&self, size: TerminalSize) {
        locked(&self.state).size = size;
    }

    pub(super) fn set_raw(&self, raw: bool) {
        locked(&self.state).raw = raw;
    }

    pub(super) fn read(&self, killed: &Interrupt, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            {
                let mut state = locked(&self.state);
                let count = state.ready.len().min(buffer.len());
                if count > 0 {
                    state.ready.drain(..count).zip(buffer).for_each(|(byte, place)| *place = byte);
                    return Ok(count);
                }
                if state.ended {
                    return Ok(0);
                }
                self.typed.clear();
            }
            killed.wait_for(self.typed.as_fd(), PollFlags::IN)?;
        }
    }

    pub(super) fn write(&self, killed: &Interrupt, bytes: &[u8]) -> io::Result<()> {
        let raw = locked(&self.state).raw;
        if raw {
            return killed.write_all(self.socket.as_fd(), bytes);
        }
        let mut shown = Vec::with_capacity(bytes.len() + 16);
        for &byte in bytes {
            if byte == b'\n' { shown.extend_from_slice(b"\r\n") } else { shown.push(byte) }
        }
        killed.write_all(self.socket.as_fd(), &shown)
    }

    fn take(&self, byte: u8, job: &Job) {
        let mut state = locked(&self.state);
        if state.raw {
            state.ready.push_back(byte);
            self.typed.raise();
            return;
        }
        match byte {
            0x03 => {
                state.editing.clear();
                self.echo(b"^C");
                job.deliver_to_all(FakeEvent::Signal(2));
            }
            0x1c => {
                state.editing.clear();
                self.echo(b"^\\");
                job.deliver_to_all(FakeEvent::Signal(3));
            }
            0x04 => {
                state.ended = state.editing.is_empty();
                self.hand_over(&mut state);
            }
            0x7f => {
                state.editing.pop();
                self.echo(b"\x08 \x08");
            }
            b'\r' | b'\n' => {
                state.editing.push(b'\n');
                self.echo(b"\r\n");
                self.hand_over(&mut state);
            }
            other => {
                state.editing.push(other);
                self.echo(&[other]);
            }
        }
    }

    fn hand_over(&self, state: &mut State) {
        let line = std::mem::take(&mut state.editing);
        state.ready.extend(line);
        self.typed.raise();
    }

    fn hang_up(&self) {
        locked(&self.state).ended = true;
        self.typed.raise();
    }

    /// Whoever types faster than he reads loses the echo, as with the kernel's.
    fn echo(&self, bytes: &[u8]) {
        let _lost = rustix::net::send(&self.socket, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
    }
}

impl Drop for Line {
    /// The last program is gone: the caller reads the end, and so does the keyboard's thread.
    fn drop(&mut self) {
        let _gone_already = shutdown(&self.socket, Shutdown::Both);
    }
}

/// Takes what the caller types until he or the last program is gone.
fn type_in(keyboard: &OwnedFd, line: &Weak<Line>, job: &Weak<Job>) {
    let Ok(never) = Interrupt::new() else { return };
    let mut buffer = [0u8; 4096];
    loop {
        let count = never.read(keyboard.as_fd(), &mut buffer).unwrap_or(0);
        let (Some(line), Some(job)) = (line.upgrade(), job.upgrade()) else { return };
        if count == 0 {
            line.hang_up();
            job.deliver_to_all(FakeEvent::Signal(1));
            return;
        }
        buffer[..count].iter().for_each(|&byte| line.take(byte, &job));
    }
}
