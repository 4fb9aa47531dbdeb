use std::io;
use std::os::fd::OwnedFd;
use std::thread::{self, JoinHandle};

use rustix::pipe::{PipeFlags, pipe_with};

use crate::terminal::{Mode, ModeGuard};

/// Threads that copy between our terminal, in raw mode, and the terminal of a program in a bottle.
#[derive(Debug)]
pub struct TerminalRelay {
    output: JoinHandle<()>,
    done: OwnedFd,
    mode: ModeGuard,
}

/// Undoes what a program that was killed may have left on: alternate screen, mouse reports, bracketed paste, a hidden cursor,
/// colours (xterm control sequences, DECSET).
const CALM: &[u8] = b"\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[?25h\x1b[0m";

impl TerminalRelay {
    /// Puts our terminal into raw mode and starts copying. `master` is our side of the program's terminal.
    ///
    /// # Errors
    /// When stdin is no terminal, or the system gives no threads.
    pub fn start(master: OwnedFd) -> io::Result<Self> {
        let mode = Mode::Raw.enter(io::stdin())?;
        let (ended, done) = pipe_with(PipeFlags::CLOEXEC)?;
        let (input, input_ended) = (master.try_clone()?, ended.try_clone()?);
        let spawn = |name: &str| thread::Builder::new().name(name.to_owned()).stack_size(256 * 1024);
        spawn("typed").spawn(move || drop(super::copy::copy(io::stdin(), &input, &input_ended)))?;
        let output = spawn("shown").spawn(move || drop(super::copy::copy(&master, io::stdout(), &ended)))?;
        Ok(Self { output, done, mode })
    }

    /// To be called when the program has ended by itself: shows what it wrote last and puts our terminal back.
    pub fn finish(self) {
        drop(self.done);
        // A copying thread cannot panic; its end is all that matters.
        let _ = self.output.join();
        drop(self.mode);
    }

    /// To be called when the program is not waited for: puts our terminal back and into a calm state.
    pub fn abandon(self) {
        let _ = rustix::io::write(io::stdout(), CALM);
        drop(self.mode);
    }
}
