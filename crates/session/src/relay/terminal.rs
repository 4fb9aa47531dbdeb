use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bottle::{ExitStatus, Signal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pipe::{PipeFlags, pipe_with};
use tokio::sync::{Notify, oneshot};

use super::copy::{NoMoreKeys, Rest, copy_and, keys};
use crate::interrupts::{Caught, Interrupts};
use crate::terminal::{Mode, ModeGuard};

/// Threads that copy between our terminal, in raw mode, and the terminal of a program in a bottle.
#[derive(Debug)]
pub struct TerminalRelay {
    /// Ends when what the program writes is not copied any more.
    shown: oneshot::Receiver<()>,
    rest: Arc<Rest>,
    /// Hung up when the program has ended or is not waited for.
    done: OwnedFd,
    mode: ModeGuard,
    /// Told when our terminal is gone.
    hung_up: Arc<Notify>,
}

/// Why a relay is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// The program has ended by itself: what it wrote last is shown, and it has left the terminal as it wants it.
    Ended,
    /// The program was killed: what it wrote last is shown, and what it has left on is undone.
    Killed,
    /// The program is not waited for: nothing more of it is shown, and what it has left on is undone.
    Abandoned,
}

/// Undoes what a program that was killed may have left on: the alternate screen, mouse and focus reports, bracketed paste,
/// application keys, a changed keyboard protocol, a hidden cursor, colours (xterm's control sequences, DECSET; kitty's
/// keyboard protocol). The cursor is saved first (DECSC), because leaving an alternate screen restores one.
const CALM: &[u8] = b"\x1b7\x1b[?1049l\x1b[?2026l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\
    \x1b[?1l\x1b>\x1b[<9u\x1b[>4;0m\x1b[?7h\x1b[?25h\x1b[0m";

/// How long a terminal may take what it is given last. Then nobody reads it, and nothing more is written to it.
const PATIENCE: Duration = Duration::from_secs(1);

impl From<ExitStatus> for Last {
    /// A shell that ran the program tells its death as a status above 128.
    fn from(status: ExitStatus) -> Self {
        if status.code() > 128 { Self::Killed } else { Self::Ended }
    }
}

impl TerminalRelay {
    /// Puts our terminal into raw mode and starts copying. `master` is our side of the program's terminal.
    ///
    /// # Errors
    /// When stdin is no terminal, or the system gives no threads.
    pub fn start(master: OwnedFd) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&master, true)?;
        let mode = Mode::Raw.enter(io::stdin())?;
        let (ended, done) = pipe_with(PipeFlags::CLOEXEC)?;
        let (input, input_ended) = (master.try_clone()?, ended.try_clone()?);
        let spawn = |name: &str| thread::Builder::new().name(name.to_owned()).stack_size(256 * 1024);
        let hung_up = Arc::new(Notify::new());
        let told = Arc::clone(&hung_up);
        // Nothing is read for a program that has ended: what is typed then is for the person's shell.
        spawn("typed").spawn(move || {
            if keys(io::stdin(), &input, &input_ended) == NoMoreKeys::HungUp {
                told.notify_one();
            }
        })?;
        let (over, shown) = oneshot::channel();
        let rest = Arc::new(Rest::wanted());
        let wanted = Arc::clone(&rest);
        spawn("shown").spawn(move || {
            let _ = copy_and(&wanted, &master, io::stdout(), &ended);
            drop(over);
        })?;
        Ok(Self { shown, rest, done, mode, hung_up })
    }

    /// Waits until our terminal is gone. The kernel tells only the leader of its session by a signal, which may be somebody else,
    /// or may have chosen not to hear it. Safe to cancel.
    pub async fn hung_up(&self) -> Caught {
        self.hung_up.notified().await;
        Caught::Signal(Signal::Hangup)
    }

    /// Ends the copying, then puts our terminal back. Whatever is caught meanwhile cuts what is still shown, and is told; so
    /// does `time_up`, untold.
    pub async fn close(self, last: Last, interrupts: &mut Interrupts, time_up: impl Future<Output = Duration>) -> Option<Caught> {
        let Self { mut shown, rest, done, mode, hung_up: _ } = self;
        let (mut over, mut caught) = (false, None);
        if last == Last::Abandoned {
            rest.refuse();
        }
        drop(done);
        if last != Last::Abandoned {
            tokio::select! {
                biased;
                _ = &mut shown => over = true,
                cut = interrupts.next() => caught = Some(cut),
                _ = time_up => {}
            }
        }
        if !over {
            rest.refuse();
            over = tokio::time::timeout(PATIENCE, shown).await.is_ok();
        }
        // A thread that is still writing would write after us.
        if over && (caught.is_some() || last != Last::Ended) {
            calm(io::stdout());
        }
        drop(mode);
        caught
    }
}

/// Does not wait for a terminal that nobody reads.
fn calm(terminal: impl AsFd) {
    let mut room = [PollFd::new(&terminal, PollFlags::OUT)];
    let patience = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
    if matches!(poll(&mut room, Some(&patience)), Ok(1)) && room[0].revents().contains(PollFlags::OUT) {
        let _ = rustix::io::write(&terminal, CALM);
    }
}
