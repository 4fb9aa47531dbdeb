use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use bottle::TerminalSize;
use rustix::termios::{self, InputModes, LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios};

/// What a terminal is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Every byte goes to the program in the bottle as it is typed, Ctrl-C too (`cfmakeraw`, `termios(3)`). Putting the terminal
    /// back throws away what nobody has read: a terminal's answers to the program's questions (`CSI c`, `CSI 6 n`, …) would be
    /// typed into the person's shell.
    Raw,
    /// We read keys ourselves: each byte as it is typed, none shown, Ctrl-C too, so that whoever asks can put the terminal back.
    /// A terminal's own line editing cuts a line at 4095 bytes (`termios(3)`, canonical mode). What is written still gets its
    /// carriage returns.
    Keys,
}

/// A terminal in another mode. Dropping it puts the terminal back; so do a panic and [`restore_all`].
#[derive(Debug)]
pub struct ModeGuard {
    number: u64,
}

struct Saved {
    number: u64,
    terminal: OwnedFd,
    mode: Mode,
    before: Termios,
}

/// Everything that has to be put back, last changed last. Reachable from the panic hook, which runs before an abort, where
/// no guard is dropped.
static SAVED: Mutex<Vec<Saved>> = Mutex::new(Vec::new());
static HOOK: Once = Once::new();

impl Mode {
    /// Puts `terminal` into this mode.
    ///
    /// # Errors
    /// When it is no terminal.
    pub fn enter(self, terminal: impl AsFd) -> io::Result<ModeGuard> {
        HOOK.call_once(|| {
            let usual = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                restore_all();
                usual(panic);
            }));
        });
        let before = termios::tcgetattr(&terminal)?;
        let terminal = rustix::io::fcntl_dupfd_cloexec(&terminal, 3)?;
        let mut saved = saved();
        let number = saved.last().map_or(0, |last| last.number + 1);
        termios::tcsetattr(&terminal, OptionalActions::Drain, &self.of(&before))?;
        saved.push(Saved { number, terminal, mode: self, before });
        Ok(ModeGuard { number })
    }

    fn of(self, before: &Termios) -> Termios {
        let mut modes = before.clone();
        match self {
            Self::Raw => modes.make_raw(),
            Self::Keys => {
                let ours = LocalModes::ISIG | LocalModes::ICANON | LocalModes::IEXTEN | LocalModes::ECHO | LocalModes::ECHONL;
                modes.local_modes.remove(ours);
                // Ctrl-S must not stop the terminal while we wait on it.
                modes.input_modes.remove(InputModes::IXON);
            }
        }
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        modes
    }
}

impl Drop for ModeGuard {
    fn drop(&mut self) {
        let mut saved = saved();
        if let Some(at) = saved.iter().position(|saved| saved.number == self.number) {
            put_back(&saved.remove(at));
        }
    }
}

/// Puts every terminal back that is still changed. For the ways out on which no guard is dropped.
pub fn restore_all() {
    while let Some(last) = { saved().pop() } {
        put_back(&last);
    }
}

/// The size of `terminal`, or 24 lines of 80 when it does not know its own.
pub fn size(terminal: impl AsFd) -> TerminalSize {
    match termios::tcgetwinsize(terminal) {
        Ok(size) if size.ws_row > 0 && size.ws_col > 0 => TerminalSize { rows: size.ws_row, columns: size.ws_col },
        Ok(_) | Err(_) => TerminalSize { rows: 24, columns: 80 },
    }
}

fn put_back(saved: &Saved) {
    match saved.mode {
        Mode::Raw => drop(termios::tcflush(&saved.terminal, QueueSelector::IFlush)),
        // What the person has typed ahead is for the next question.
        Mode::Keys => {}
    }
    // It may have hung up; then there is nothing to put back. `Now`, because a terminal that nobody reads would never drain.
    let _ = termios::tcsetattr(&saved.terminal, OptionalActions::Now, &saved.before);
}

fn saved() -> MutexGuard<'static, Vec<Saved>> {
    SAVED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write as _;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::OFlags;
    use rustix::pty::{OpenptFlags, openpt, ptsname, unlockpt};

    use super::Mode;

    /// Whether anything is left to read after `typed` has come while in `mode`.
    fn is_left(mode: Mode, typed: &[u8]) -> bool {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let terminal = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, 0.into()).unwrap();
        let guard = mode.enter(&terminal).unwrap();
        File::from(master.try_clone().unwrap()).write_all(typed).unwrap();
        let is_there = |patience: Option<&Timespec>| poll(&mut [PollFd::new(&terminal, PollFlags::IN)], patience).unwrap() == 1;
        assert!(is_there(None));
        drop(guard);
        is_there(Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))
    }

    #[test]
    fn answers_that_the_program_did_not_read_are_not_typed_into_the_shell() {
        assert!(!is_left(Mode::Raw, b"\x1b[?62;22c\n"));
    }

    #[test]
    fn what_is_typed_ahead_is_left_for_the_next_question() {
        assert!(is_left(Mode::Keys, b"y\n"));
    }
}
