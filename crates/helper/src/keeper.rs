//! Does for a terminal what the kernel should: turns keys into signals, says when the size changes, and hangs up.
//!
//! gVisor's terminals move bytes, echo and raw mode, and older ones nothing else: Ctrl-C is a byte like any other, a program never hears
//! of a new size, and one whose caller is gone waits for ever. There the process that watches over a program stands between the
//! terminal and its caller, as the leader of the program's session.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, Signal, ioctl_tiocsctty, kill_process_group};
use rustix::termios::{LocalModes, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp};

use crate::program::Terminal;
use crate::sys;

/// Read at once, and held at most each way.
const GULP: usize = 4096;
/// Keys that are signals unless the program says otherwise (`termios(3)`, ISIG).
const KEYS: [(SpecialCodeIndex, Signal); 3] =
    [(SpecialCodeIndex::VINTR, Signal::INT), (SpecialCodeIndex::VQUIT, Signal::QUIT), (SpecialCodeIndex::VSUSP, Signal::TSTP)];

/// A terminal that is looked after.
pub struct Keeper {
    terminal: Terminal,
    /// `None` once the caller has hung up.
    caller: Option<OwnedFd>,
    to_program: Vec<u8>,
    to_caller: Vec<u8>,
}

impl Keeper {
    /// Makes the terminal that of the calling process's own, new session. Gives the end for the caller, too.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn take(terminal: Terminal) -> io::Result<(Self, OwnedFd)> {
        sys::new_session()?;
        ioctl_tiocsctty(&terminal.program)?;
        let (caller, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        for fd in [&terminal.caller, &caller] {
            rustix::io::ioctl_fionbio(fd, true)?;
        }
        Ok((Self { terminal, caller: Some(caller), to_program: Vec::new(), to_caller: Vec::new() }, theirs))
    }

    /// The program's side.
    pub fn program(&self) -> &OwnedFd {
        &self.terminal.program
    }

    /// What is to be waited for before the next [`Keeper::turn`].
    pub fn waits(&self) -> Vec<PollFd<'_>> {
        let Some(caller) = &self.caller else { return Vec::new() };
        let either = |reads: bool, writes: bool| {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, reads);
            flags.set(PollFlags::OUT, writes);
            flags
        };
        let (typed, said) = (!self.to_program.is_empty(), !self.to_caller.is_empty());
        vec![PollFd::new(&self.terminal.caller, either(!said, typed)), PollFd::new(caller, either(!typed, said))]
    }

    /// Moves what can be moved. `main` is the program.
    pub fn turn(&mut self, main: Pid) {
        let Some(caller) = &self.caller else { return };
        let mut buffer = [0; GULP];
        if self.to_program.is_empty() {
            match rustix::io::read(caller, &mut buffer) {
                Ok(got @ 1..) => self.typed(buffer.get(..got).unwrap_or_default(), main),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Ok(0) | Err(_) => return self.hang_up(main),
            }
        }
        if self.to_caller.is_empty()
            && let Ok(got) = rustix::io::read(&self.terminal.caller, &mut buffer)
        {
            self.to_caller.extend_from_slice(buffer.get(..got).unwrap_or_default());
        }
        write_some(&self.terminal.caller, &mut self.to_program);
        if let Some(caller) = &self.caller {
            write_some(caller, &mut self.to_caller);
        }
    }

    /// The program is told of a new size (`SIGWINCH`, `signal(7)`).
    pub fn resize(&self, size: rustix::termios::Winsize, main: Pid) {
        if rustix::termios::tcsetwinsize(&self.terminal.program, size).is_ok() {
            let _ = kill_process_group(self.foreground(main), Signal::WINCH);
        }
    }

    /// The program has ended: passes on what it has said, as long as somebody reads.
    pub fn finish(mut self) {
        let mut buffer = [0; GULP];
        while let Some(caller) = &self.caller {
            if self.to_caller.is_empty() {
                match rustix::io::read(&self.terminal.caller, &mut buffer) {
                    Ok(got @ 1..) => self.to_caller.extend_from_slice(buffer.get(..got).unwrap_or_default()),
                    Ok(0) | Err(_) => return,
                }
            }
            if !write_some(caller, &mut self.to_caller) {
                return;
            }
            if !self.to_caller.is_empty() && poll(&mut [PollFd::new(caller, PollFlags::OUT)], None).is_err() {
                return;
            }
        }
    }

    fn typed(&mut self, bytes: &[u8], main: Pid) {
        let modes = tcgetattr(&self.terminal.program).ok();
        for byte in bytes {
            match modes.as_ref().and_then(|modes| signal_of(modes, *byte)) {
                None => self.to_program.push(*byte),
                Some(signal) => {
                    if modes.as_ref().is_some_and(|modes| modes.local_modes.contains(LocalModes::ECHO)) {
                        // As the kernel shows control characters (`termios(3)`, ECHOCTL).
                        self.to_caller.extend([b'^', byte ^ 0x40]);
                    }
                    let _ = kill_process_group(self.foreground(main), signal);
                }
            }
        }
    }

    /// Nobody reads or types any more (`SIGHUP`; stopped processes are continued so that they hear it).
    fn hang_up(&mut self, main: Pid) {
        self.caller = None;
        for group in [self.foreground(main), main] {
            let _ = kill_process_group(group, Signal::HUP);
            let _ = kill_process_group(group, Signal::CONT);
        }
    }

    /// Who has the terminal: the program's own group until it gives it to another.
    fn foreground(&self, main: Pid) -> Pid {
        tcgetpgrp(&self.terminal.program).unwrap_or(main)
    }
}

/// The signal that a key stands for.
fn signal_of(modes: &Termios, byte: u8) -> Option<Signal> {
    // A key that is 0 is switched off (`termios(3)`, _POSIX_VDISABLE).
    let on = modes.local_modes.contains(LocalModes::ISIG) && byte != 0;
    KEYS.into_iter().find(|(key, _)| on && modes.special_codes[*key] == byte).map(|(_, signal)| signal)
}

/// Writes what is taken at the moment. `false` when nothing ever will be.
fn write_some(to: impl AsFd, bytes: &mut Vec<u8>) -> bool {
    match rustix::io::write(to, bytes) {
        Ok(count) => {
            bytes.drain(..count);
            true
        }
        Err(Errno::AGAIN | Errno::INTR) => true,
        Err(_) => {
            bytes.clear();
            false
        }
    }
}
