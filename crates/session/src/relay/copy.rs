use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// Copies until `from` ends. When `done` becomes readable or is hung up, the program has ended: what lies in `from` at that
/// moment is all that it wrote, so exactly that is still copied, even when a child left behind keeps the other end open.
///
/// # Errors
/// When reading or writing fails, such as `EPIPE` when the receiver is gone.
pub(super) fn copy(from: impl AsFd, to: impl AsFd, done: impl AsFd) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let (from, to) = (from.as_fd(), to.as_fd());
    loop {
        let (readable, ended) = wait(from, done.as_fd())?;
        if ended {
            let left = rustix::io::ioctl_fionread(from).unwrap_or(0);
            return drain(from, to, &mut buffer, left);
        }
        if readable && step(from, to, &mut buffer)? == 0 {
            return Ok(());
        }
    }
}

fn drain(from: BorrowedFd<'_>, to: BorrowedFd<'_>, buffer: &mut [u8], left: u64) -> io::Result<()> {
    let mut left = usize::try_from(left).unwrap_or(usize::MAX);
    while left > 0 {
        let size = left.min(buffer.len());
        match step(from, to, &mut buffer[..size])? {
            0 => break,
            count => left -= count,
        }
    }
    Ok(())
}

fn step(from: BorrowedFd<'_>, to: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    let count = match rustix::io::retry_on_intr(|| rustix::io::read(from, &mut *buffer)) {
        Ok(count) => count,
        // The last program on a terminal is gone (`pty(7)`).
        Err(Errno::IO) => 0,
        Err(Errno::AGAIN) => return Err(io::ErrorKind::WouldBlock.into()),
        Err(error) => return Err(error.into()),
    };
    write_all(to, &buffer[..count])?;
    Ok(count)
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
pub(super) fn copy_until_closed(from: impl AsFd, to: impl AsFd) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let (from, to) = (from.as_fd(), to.as_fd());
    loop {
        let mut both = [PollFd::from_borrowed_fd(from, PollFlags::IN), PollFd::from_borrowed_fd(to, PollFlags::empty())];
        rustix::io::retry_on_intr(|| poll(&mut both, None))?;
        if !both[1].revents().is_empty() || step(from, to, &mut buffer)? == 0 {
            return Ok(());
        }
    }
}
