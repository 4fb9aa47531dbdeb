//! The process that watches over one program: it starts it, passes signals on, kills its tree, and tells how it ended.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, set_child_subreaper, wait};

use super::kill;
use super::program::{Failure, Program, Terminal};
use super::serve::Helper;
use crate::sys::{self, Fork};
use crate::wire::{FromExec, Spawn, StartStep, ToExec, receive_packet, send_packet};

/// Runs in a child of the helper, to its end. `fds`: the exec channel, then the three streams unless on a terminal.
pub fn watch(helper: &Helper, spawn: Spawn, fds: Vec<OwnedFd>) {
    let mut fds = fds.into_iter();
    let Some(channel) = fds.next() else { return };
    if let Err((step, errno)) = Watch::start(helper, spawn, fds.collect(), &channel).and_then(|watch| watch.to_the_end(&channel)) {
        let _ = send_packet(channel.as_fd(), &FromExec::NotStarted { step, errno }, &[]);
    }
}

struct Watch {
    program: Pid,
    children: OwnedFd,
}

impl Watch {
    fn start(helper: &Helper, spawn: Spawn, streams: Vec<OwnedFd>, channel: &OwnedFd) -> Result<Self, Failure> {
        let prepare = |error: std::io::Error| (StartStep::Prepare, error.raw_os_error().unwrap_or(libc::EIO));
        set_child_subreaper(Some(rustix::process::getpid())).map_err(|error| prepare(error.into()))?;
        let children = sys::child_signals().map_err(prepare)?;
        let terminal = spawn.terminal.map(|(rows, columns)| Terminal::open(rows, columns)).transpose();
        let terminal = terminal.map_err(|error| prepare(error.into()))?;
        let program = Program::new(spawn)?;
        let (report, reporter) =
            rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(|error| prepare(error.into()))?;
        let streams_of = |terminal: Option<&'_ Terminal>| -> Option<[BorrowedFd<'_>; 3]> {
            match (terminal, streams.as_slice()) {
                (Some(_), _) => None,
                (None, [stdin, stdout, stderr]) => Some([stdin.as_fd(), stdout.as_fd(), stderr.as_fd()]),
                (None, _) => None,
            }
        };
        match sys::fork().map_err(prepare)? {
            Fork::Child => {
                let (step, errno) = match (&terminal, streams_of(terminal.as_ref())) {
                    (Some(terminal), _) => program.become_it(helper, [terminal.program.as_fd(); 3], true),
                    (None, Some(streams)) => program.become_it(helper, streams, false),
                    (None, None) => (StartStep::Prepare, libc::EBADF),
                };
                let mut message = vec![step_number(step)];
                message.extend(errno.to_ne_bytes());
                let _ = rustix::io::write(&reporter, &message);
                std::process::exit(127);
            }
            Fork::Parent(pid) => {
                drop(reporter);
                let caller_side = terminal.map(|terminal| terminal.caller);
                // Only the program may hold its streams, or their readers would wait for this process too.
                drop(streams);
                let mut message = [0u8; 5];
                match rustix::io::retry_on_intr(|| rustix::io::read(&report, &mut message)) {
                    Ok(0) => {}
                    Ok(_) => {
                        let [step, a, b, c, d] = message;
                        return Err((step_of(step), i32::from_ne_bytes([a, b, c, d])));
                    }
                    Err(error) => return Err(prepare(error.into())),
                }
                let fds: Vec<_> = caller_side.iter().map(AsFd::as_fd).collect();
                let _ = send_packet(channel.as_fd(), &FromExec::Started, &fds);
                Ok(Self { program: pid, children })
            }
        }
    }

    /// Serves the channel until the program has ended. What it leaves running in the background goes on, below PID 1.
    fn to_the_end(self, channel: &OwnedFd) -> Result<(), Failure> {
        let mut listening = true;
        loop {
            if let Some(status) = self.reap() {
                return tell(channel, status);
            }
            let events = if listening { PollFlags::IN } else { PollFlags::empty() };
            let mut polled = [PollFd::new(&self.children, PollFlags::IN), PollFd::new(channel, events)];
            if !listening {
                polled = [PollFd::new(&self.children, PollFlags::IN), PollFd::new(&self.children, PollFlags::empty())];
            }
            match poll(&mut polled, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err((StartStep::Prepare, error.raw_os_error())),
            }
            let heard = listening && !polled[1].revents().is_empty();
            // Only wakes the loop: the children are asked for one by one.
            let _ = rustix::io::read(&self.children, &mut [0u8; 128]);
            if heard {
                match receive_packet::<ToExec>(channel.as_fd()) {
                    Ok(Some((ToExec::Signal(number), _))) => {
                        if let Some(signal) = Signal::from_named_raw(i32::from(number)) {
                            let _ = kill_process(self.program, signal);
                        }
                    }
                    Ok(Some((ToExec::KillTree, _))) => {
                        if let Ok(Some(status)) = kill::descendants(self.program) {
                            return tell(channel, status);
                        }
                    }
                    Ok(Some((ToExec::Commit, _))) => {}
                    // The caller has let go of the program; it goes on.
                    Ok(None) | Err(_) => listening = false,
                }
            }
        }
    }

    /// Reaps whatever has ended; gives the status of the program itself.
    fn reap(&self) -> Option<WaitStatus> {
        let mut ended = None;
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if pid == self.program {
                ended = Some(status);
            }
        }
        ended
    }
}

#[allow(clippy::unnecessary_wraps, reason = "the shape of the caller's other ends")]
fn tell(channel: &OwnedFd, status: WaitStatus) -> Result<(), Failure> {
    let byte = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
    let message = match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => FromExec::Exited(byte(code)),
        (None, Some(signal)) => FromExec::Killed(byte(signal)),
        (None, None) => FromExec::Exited(u8::MAX),
    };
    let _ = send_packet(channel.as_fd(), &message, &[]);
    Ok(())
}

fn step_number(step: StartStep) -> u8 {
    match step {
        StartStep::Prepare => 0,
        StartStep::Folder => 1,
        StartStep::Execute => 2,
    }
}

fn step_of(number: u8) -> StartStep {
    match number {
        1 => StartStep::Folder,
        2 => StartStep::Execute,
        _ => StartStep::Prepare,
    }
}
