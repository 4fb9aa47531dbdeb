use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// What is still copied when the program has ended. May be changed while the copy runs.
#[derive(Debug)]
pub(super) struct Rest(AtomicBool);

impl Rest {
    /// What lies in the source at that moment: all that the program wrote.
    pub const fn wanted() -> Self {
        Self(AtomicBool::new(true))
    }

    /// From now on nothing more is copied once the program has ended.
    pub fn refuse(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    fn is_wanted(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Copies until `from` ends. When `done` becomes readable or is hung up, the program has ended: what lies in `from` at that
/// moment is all that it wrote, so exactly that is still copied, even when a child left behind keeps the other end open.
///
/// # Errors
/// When reading or writing fails, such as `EPIPE` when the receiver is gone.
pub(super) fn copy(from: impl AsFd, to: impl AsFd, done: impl AsFd) -> io::Result<()> {
    copy_and(&Rest::wanted(), from, to, done)
}

/// [`copy`], where `rest` says what is still copied when the program has ended.
///
/// # Errors
/// As [`copy`].
pub(super) fn copy_and(rest: &Rest, from: impl AsFd, to: impl AsFd, done: impl AsFd) -> io::Result<()> {
    let mut buffer = Buffer::default();
    let (from, to) = (from.as_fd(), to.as_fd());
    loop {
        let (readable, ended) = wait(from, done.as_fd())?;
        if ended {
            return drain(from, to, buffer.room(), rest);
        }
        if readable && step(from, to, buffer.room())? == Step::End {
            return Ok(());
        }
    }
}

/// Room for what is copied, as much as a pipe holds. There is none before something is: a stream that stays silent, as stdin and
/// stderr of most agents, costs no memory.
#[derive(Default)]
struct Buffer(Vec<u8>);

impl Buffer {
    const SIZE: usize = 64 * 1024;

    fn room(&mut self) -> &mut [u8] {
        self.0.resize(Self::SIZE, 0);
        &mut self.0
    }
}

/// Why no more keys are copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoMoreKeys {
    /// The program has ended.
    Ended,
    /// The terminal that they were typed on hung up, or cannot be read.
    HungUp,
}

/// Copies what is typed on a terminal in raw mode until `done` becomes readable or is hung up: nothing is read for a program that
/// has ended. Watches the terminal even while the program reads nothing.
pub(super) fn keys(terminal: impl AsFd, to: impl AsFd, done: impl AsFd) -> NoMoreKeys {
    let mut buffer = vec![0; 4096];
    let (terminal, to) = (terminal.as_fd(), to.as_fd());
    loop {
        match wait(terminal, done.as_fd()) {
            Ok((_, true)) => return NoMoreKeys::Ended,
            Ok((false, false)) => continue,
            Ok((true, false)) => {}
            Err(_) => return NoMoreKeys::HungUp,
        }
        // In raw mode nothing but a hang-up is the end of input (`termios(3)`, VMIN).
        let typed = match rustix::io::retry_on_intr(|| rustix::io::read(terminal, &mut *buffer)) {
            Ok(count @ 1..) => buffer.get(..count).unwrap_or_default(),
            Err(Errno::AGAIN) => continue,
            Ok(_) | Err(_) => return NoMoreKeys::HungUp,
        };
        match write_while(to, typed, terminal, done.as_fd()) {
            None => {}
            Some(end) => return end,
        }
    }
}

/// Writes keys to a non-blocking `to`, while the terminal stands and the program runs. A program's terminal that takes no more
/// is gone soon.
fn write_while(to: BorrowedFd<'_>, mut bytes: &[u8], terminal: BorrowedFd<'_>, done: BorrowedFd<'_>) -> Option<NoMoreKeys> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let mut all = [
                    PollFd::from_borrowed_fd(to, PollFlags::OUT),
                    PollFd::from_borrowed_fd(terminal, PollFlags::empty()),
                    PollFd::from_borrowed_fd(done, PollFlags::IN),
                ];
                let polled = rustix::io::retry_on_intr(|| poll(&mut all, None));
                let [_, terminal, done] = all.map(|fd| !fd.revents().is_empty());
                if done {
                    return Some(NoMoreKeys::Ended);
                }
                if terminal || polled.is_err() {
                    return Some(NoMoreKeys::HungUp);
                }
            }
            // Whoever waits for the program tells of its end.
            Err(_) => return Some(NoMoreKeys::Ended),
        }
    }
    None
}

/// Whether a pipe has nothing in it and nobody who could write to it (`poll(2)`, POLLHUP without POLLIN).
///
/// # Errors
/// When the system refuses.
pub(super) fn is_at_its_end(from: impl AsFd) -> io::Result<bool> {
    let mut polled = [PollFd::from_borrowed_fd(from.as_fd(), PollFlags::IN)];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::io::retry_on_intr(|| poll(&mut polled, Some(&now)))?;
    let seen = polled[0].revents();
    Ok(seen.contains(PollFlags::HUP) && !seen.contains(PollFlags::IN))
}

/// Copies what lies in `from`: all that an ended program wrote.
///
/// # Errors
/// As [`copy`].
pub(super) fn rest(from: impl AsFd, to: impl AsFd) -> io::Result<()> {
    drain(from.as_fd(), to.as_fd(), &mut [0; 4096], &Rest::wanted())
}

/// Waits until one of several is readable or ended, and tells which.
///
/// # Errors
/// When the system refuses.
pub(super) fn readable<const N: usize>(all: [Option<BorrowedFd<'_>>; N]) -> io::Result<[bool; N]> {
    let mut polled: Vec<_> = all.iter().flatten().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    rustix::io::retry_on_intr(|| poll(&mut polled, None))?;
    let mut polled = polled.into_iter();
    Ok(all.map(|fd| fd.is_some() && polled.next().is_some_and(|fd| !fd.revents().is_empty())))
}

/// Copies the first bytes of a readable `from` into `to`, a pipe with nothing in it: no more than always fits into one
/// (`PIPE_BUF`, `pipe(7)`), so it does not wait. Reads nothing when nobody reads `to` any more. Whether there may be more.
///
/// # Errors
/// When reading fails.
pub(super) fn first(from: impl AsFd, to: impl AsFd) -> io::Result<bool> {
    let (from, to) = (from.as_fd(), to.as_fd());
    let mut reader = [PollFd::from_borrowed_fd(to, PollFlags::empty())];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::io::retry_on_intr(|| poll(&mut reader, Some(&now)))?;
    let closed = !reader[0].revents().is_empty();
    if closed {
        return Ok(false);
    }
    match step(from, to, &mut [0; 4096]) {
        Ok(step) => Ok(step != Step::End),
        // Nobody reads, which is no failure of ours.
        Err(CopyError::Writing(_)) => Ok(false),
        Err(CopyError::Reading(error)) => Err(error),
    }
}

/// `from` does not block: something in the bottle may hold its other end too, and take what we were told is there.
fn drain(from: BorrowedFd<'_>, to: BorrowedFd<'_>, buffer: &mut [u8], rest: &Rest) -> io::Result<()> {
    // A pipe says how much it holds. A terminal tells of its first 4 KiB alone, and gets the rest ready in a moment; it never
    // holds as much as this.
    let is_terminal = rustix::termios::isatty(from);
    let held = if is_terminal { MOST_ON_A_TERMINAL } else { rustix::io::ioctl_fionread(from).unwrap_or(0) };
    let mut left = usize::try_from(held).unwrap_or(usize::MAX);
    // Threat: something left behind that writes a byte now and then keeps a terminal's session for hours. What the program
    // itself had written is there at once; only a slow reader of ours may take as long as it wants.
    let mut waits = WAITS;
    while left > 0 && rest.is_wanted() {
        let size = left.min(buffer.len());
        match step(from, to, &mut buffer[..size])? {
            Step::End => break,
            Step::Nothing if is_terminal && waits > 0 && more_soon(from)? => waits -= 1,
            Step::Nothing => break,
            Step::Copied(count) => left -= count,
        }
    }
    Ok(())
}

/// More than the kernel holds for a pseudo-terminal (`TTYB_DEFAULT_MEM_LIMIT` in drivers/tty/tty_buffer.c, and its own buffer).
const MOST_ON_A_TERMINAL: u64 = 1 << 20;

/// How often more output of a terminal is waited for after its program's end.
const WAITS: u32 = 10;

/// Whether a terminal that gave nothing has something within a moment.
fn more_soon(from: BorrowedFd<'_>) -> io::Result<bool> {
    let mut polled = [PollFd::from_borrowed_fd(from, PollFlags::IN)];
    let moment = rustix::event::Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
    Ok(rustix::io::retry_on_intr(|| poll(&mut polled, Some(&moment)))? > 0)
}

/// Which side of a copy failed.
#[derive(Debug)]
pub(super) enum CopyError {
    /// What is copied cannot be read: there may be more of it.
    Reading(io::Error),
    /// It cannot be passed on.
    Writing(io::Error),
}

impl From<CopyError> for io::Error {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Reading(error) | CopyError::Writing(error) => error,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// This many bytes.
    Copied(usize),
    /// There was nothing to read after all: whoever shares a non-blocking descriptor with us was faster.
    Nothing,
    /// `from` has ended.
    End,
}

/// Reads once and writes all of it.
pub(super) fn step(from: BorrowedFd<'_>, to: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<Step, CopyError> {
    let count = match rustix::io::retry_on_intr(|| rustix::io::read(from, &mut *buffer)) {
        Ok(count) => count,
        // The last program on a terminal is gone (`pty(7)`). From anything else it is a disk's error.
        Err(Errno::IO) if rustix::termios::isatty(from) => 0,
        Err(Errno::AGAIN) => return Ok(Step::Nothing),
        Err(error) => return Err(CopyError::Reading(error.into())),
    };
    write_all(to, &buffer[..count]).map_err(CopyError::Writing)?;
    Ok(if count == 0 { Step::End } else { Step::Copied(count) })
}

/// Writes everything, also to a descriptor that somebody else has made non-blocking.
fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let mut room = [PollFd::from_borrowed_fd(to, PollFlags::OUT)];
                rustix::io::retry_on_intr(|| poll(&mut room, None))?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Waits for `(from is readable or ended, done)`.
fn wait(from: BorrowedFd<'_>, done: BorrowedFd<'_>) -> io::Result<(bool, bool)> {
    let mut both = [PollFd::from_borrowed_fd(from, PollFlags::IN), PollFd::from_borrowed_fd(done, PollFlags::IN)];
    rustix::io::retry_on_intr(|| poll(&mut both, None))?;
    let [from, done] = both.map(|fd| !fd.revents().is_empty());
    Ok((from, done))
}

/// Copies until `from` ends or nobody reads `to` any more: then `from` keeps what we have not read, for whoever reads it next.
///
/// # Errors
/// When reading or writing fails.
pub(super) fn copy_until_closed(from: impl AsFd, to: impl AsFd) -> Result<(), CopyError> {
    let mut buffer = Buffer::default();
    let (from, to) = (from.as_fd(), to.as_fd());
    loop {
        let mut both = [PollFd::from_borrowed_fd(from, PollFlags::IN), PollFd::from_borrowed_fd(to, PollFlags::empty())];
        rustix::io::retry_on_intr(|| poll(&mut both, None)).map_err(|error| CopyError::Reading(error.into()))?;
        if !both[1].revents().is_empty() || step(from, to, buffer.room())? == Step::End {
            return Ok(());
        }
    }
}
