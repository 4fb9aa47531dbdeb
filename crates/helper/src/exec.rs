//! The process that watches over one program: it starts it, passes signals on, kills its tree, and tells how it ended.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitOptions, WaitStatus, kill_process_group, wait, waitid};

use crate::family::{Families, Family};
use crate::keeper::Keeper;
use crate::program::{self, Failure, Program, Session, Terminal};
use crate::serve::{Helper, Taken};
use crate::sys::{self, Fork};
use crate::traced;
use crate::wire::{FromExec, Spawn, StartStep, ToExec, receive_packet, send_packet};

/// Runs in a child of the helper, to its end. `fds`: the exec channel, then the three streams unless on a terminal.
pub fn watch(helper: &Helper, spawn: Spawn, fds: Vec<OwnedFd>, taken: &Taken) {
    let mut fds = fds.into_iter();
    let Some(channel) = fds.next() else { return };
    let mut started = Watch::start(helper, spawn, fds.collect(), &channel, taken);
    let followed = started.as_mut().map_err(|failure| *failure).and_then(|watch| match watch {
        Some(watch) => watch.follow(&channel),
        None => Ok(None),
    });
    let last_word = match followed {
        Ok(Some(status)) => how_it_ended(status),
        Ok(None) => FromExec::DeadlinePassed,
        Err(Failure { step, errno }) => FromExec::NotStarted { step, errno },
    };
    let _ = send_packet(channel.as_fd(), &last_word, &[]);
    if let Ok(Some(Watch { terminal: Some(Display::Kept(keeper)), .. })) = started {
        keeper.finish();
    }
}

/// An hour: a deadline that does not fit the system call is looked at again.
const LONG: Timespec = Timespec { tv_sec: 3600, tv_nsec: 0 };

struct Watch {
    program: Pid,
    family: Family,
    children: OwnedFd,
    terminal: Option<Display>,
    deadline: Option<Instant>,
}

/// A program's terminal.
enum Display {
    /// The kernel does all there is to do. The program's side, for its size.
    Plain(OwnedFd),
    /// One that is looked after.
    Kept(Keeper),
}

impl Watch {
    /// `None` when the deadline passed before the program began.
    fn start(
        helper: &Helper,
        spawn: Spawn,
        streams: Vec<OwnedFd>,
        channel: &OwnedFd,
        taken: &Taken,
    ) -> Result<Option<Self>, Failure> {
        let family = helper.families().begin()?;
        let children = sys::child_signals()?;
        let deadline = spawn.deadline.and_then(|after| Instant::now().checked_add(Duration::from_millis(after)));
        let (terminal, caller) = match spawn.terminal {
            Some((rows, columns)) => {
                let terminal = Terminal::open(rows, columns, spawn.root, helper.ids())?;
                let (display, caller) = Display::of(terminal, helper.families())?;
                (Some(display), Some(caller))
            }
            None => (None, None),
        };
        let program = Program::new(spawn)?;
        let (report, reporter) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let pid = match sys::fork()? {
            Fork::Child => {
                let failure = match (family.join(), &terminal, streams.as_slice()) {
                    (Err(error), ..) => error.into(),
                    (Ok(()), Some(Display::Plain(terminal)), _) => {
                        program.become_it(helper, [terminal.as_fd(); 3], Session::OwnOnTerminal)
                    }
                    (Ok(()), Some(Display::Kept(keeper)), _) => {
                        program.become_it(helper, [keeper.program().as_fd(); 3], Session::OnKeptTerminal)
                    }
                    (Ok(()), None, [stdin, stdout, stderr]) => {
                        program.become_it(helper, [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()], Session::Own)
                    }
                    (Ok(()), None, _) => Failure { step: StartStep::Prepare, errno: libc::EBADF },
                };
                program::report(&reporter, &failure);
                std::process::exit(127);
            }
            Fork::Parent(pid) => pid,
        };
        taken.tell();
        drop(reporter);
        // Only the program may hold its streams, or their readers would wait for this process too.
        drop(streams);
        let watch = Self { program: pid, family, children, terminal, deadline };
        if !watch.begins(&report)? {
            return Ok(None);
        }
        let fds: Vec<BorrowedFd<'_>> = caller.iter().map(AsFd::as_fd).collect();
        let _ = send_packet(channel.as_fd(), &FromExec::Started, &fds);
        Ok(Some(watch))
    }

    /// Waits until the child has become the program or told why not; whether it did so before its deadline.
    ///
    /// From its change of user until its execve, the child can be stopped by whatever runs in the bottle as that user: it would
    /// say nothing for ever, with nobody looking at the deadline. Nothing of ours stops it, so a stop is an attack.
    fn begins(&self, report: &OwnedFd) -> Result<bool, Failure> {
        loop {
            let mut polled = [PollFd::new(report, PollFlags::IN), PollFd::new(&self.children, PollFlags::IN)];
            let left = self.left();
            wait_for(&mut polled, left)?;
            if !polled[0].revents().is_empty() {
                return program::reported(report)?.map_or(Ok(true), Err);
            }
            let _ = rustix::io::read(&self.children, &mut [0u8; 128]);
            // A program that has begun may stop itself: its report has ended by then.
            if self.is_stopped() && !is_readable(report)? {
                self.family.kill(self.program)?;
                return Err(Failure { step: StartStep::Prepare, errno: libc::ECANCELED });
            }
            if left == Some(Duration::ZERO) {
                self.family.kill(self.program)?;
                return Ok(false);
            }
        }
    }

    fn is_stopped(&self) -> bool {
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        matches!(waitid(WaitId::Pid(self.program), options), Ok(Some(_)))
    }

    /// Until the deadline; `None` without one.
    fn left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Serves the channel until the program has ended. What it leaves running in the background goes on, below PID 1. `None`
    /// when its deadline passed first; then nothing goes on.
    fn follow(&mut self, channel: &OwnedFd) -> Result<Option<WaitStatus>, Failure> {
        // `None` once the caller has let go of the program, which goes on.
        let mut caller = Some(channel);
        loop {
            let pause = match self.reap() {
                Reaped::Program(status) => return Ok(Some(status)),
                Reaped::More => Some(Duration::ZERO),
                Reaped::All => None,
            };
            let left = self.left();
            if left == Some(Duration::ZERO) {
                self.family.kill(self.program)?;
                return Ok(None);
            }
            let mut polled = vec![PollFd::new(&self.children, PollFlags::IN)];
            polled.extend(caller.map(|channel| PollFd::new(channel, PollFlags::IN)));
            if let Some(Display::Kept(keeper)) = &self.terminal {
                polled.extend(keeper.waits());
            }
            wait_for(&mut polled, pause.or(left))?;
            let heard = caller.is_some() && polled.get(1).is_some_and(|channel| !channel.revents().is_empty());
            if let Some(Display::Kept(keeper)) = &mut self.terminal {
                keeper.turn(self.program);
            }
            // Only wakes the loop: the children are asked for one by one.
            let _ = rustix::io::read(&self.children, &mut [0u8; 128]);
            if heard {
                match receive_packet::<ToExec>(channel.as_fd()) {
                    Ok(Some((message, _))) => {
                        if let Some(status) = self.obey(&message) {
                            return Ok(Some(status));
                        }
                    }
                    Ok(None) | Err(_) => caller = None,
                }
            }
        }
    }

    /// Gives the program's status when it was killed with its tree.
    fn obey(&self, message: &ToExec) -> Option<WaitStatus> {
        match message {
            ToExec::Signal(number) => {
                if let Some(signal) = Signal::from_named_raw(i32::from(*number)) {
                    // To its process group, as from a terminal: a shell that waits for a child does not end by its own.
                    let _ = kill_process_group(self.program, signal);
                }
                None
            }
            ToExec::Resize(rows, columns) => {
                let size = rustix::termios::Winsize { ws_row: *rows, ws_col: *columns, ws_xpixel: 0, ws_ypixel: 0 };
                match &self.terminal {
                    Some(Display::Plain(terminal)) => drop(rustix::termios::tcsetwinsize(terminal, size)),
                    Some(Display::Kept(keeper)) => keeper.resize(size, self.program),
                    None => {}
                }
                None
            }
            ToExec::KillTree => self.family.kill(self.program).ok().flatten(),
            ToExec::Commit => None,
        }
    }

    /// Reaps whatever has ended, and lets go on what has stopped: a turn of it.
    fn reap(&self) -> Reaped {
        for _ in 0..traced::TURN {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if status.stopped() => traced::let_go(pid, status),
                Ok(Some((pid, status))) if pid == self.program => return Reaped::Program(status),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return Reaped::All,
            }
        }
        Reaped::More
    }
}

/// What came of a turn of reaping.
enum Reaped {
    /// Nothing is left.
    All,
    /// There may be more.
    More,
    /// The program itself has ended; what is left of the others is PID 1's.
    Program(WaitStatus),
}

impl Display {
    /// Gives the end for the caller, too.
    fn of(terminal: Terminal, families: &Families) -> std::io::Result<(Self, OwnedFd)> {
        match families {
            Families::Subreapers => Ok((Self::Plain(terminal.program), terminal.caller)),
            Families::Groups(_) => Keeper::take(terminal).map(|(keeper, caller)| (Self::Kept(keeper), caller)),
        }
    }
}

/// Waits for one of several, or until the time is up.
fn wait_for(polled: &mut [PollFd<'_>], left: Option<Duration>) -> Result<(), Failure> {
    let left = left.map(|left| Timespec::try_from(left).unwrap_or(LONG));
    match poll(polled, left.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn is_readable(fd: &OwnedFd) -> Result<bool, Failure> {
    let mut polled = [PollFd::new(fd, PollFlags::IN)];
    wait_for(&mut polled, Some(Duration::ZERO))?;
    Ok(!polled[0].revents().is_empty())
}

fn how_it_ended(status: WaitStatus) -> FromExec {
    let byte = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => FromExec::Exited(byte(code)),
        (None, Some(signal)) => FromExec::Killed(byte(signal)),
        (None, None) => FromExec::Exited(u8::MAX),
    }
}
