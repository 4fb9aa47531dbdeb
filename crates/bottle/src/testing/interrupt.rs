use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::io::Errno;

/// Wakes a thread out of whatever it waits for, once and for all.
#[derive(Debug)]
pub(super) struct Interrupt(OwnedFd);

impl Interrupt {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    /// Wakes; and whoever waits later does not wait.
    pub(super) fn raise(&self) {
        // It can only fail when the counter is full, and then it is raised.
        let _full = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }

    /// Takes back what was raised.
    pub(super) fn clear(&self) {
        let _nothing_raised = rustix::io::read(&self.0, &mut [0u8; 8]);
    }

    /// Waits until one of `wanted` can go on.
    ///
    /// # Errors
    /// When interrupted: the process has been killed.
    pub(super) fn wait_for(&self, fd: BorrowedFd<'_>, wanted: PollFlags) -> io::Result<()> {
        loop {
            let mut fds = [PollFd::new(&self.0, PollFlags::IN), PollFd::new(&fd, wanted)];
            match poll(&mut fds, None) {
                Ok(_) if !fds[0].revents().is_empty() => return Err(io::Error::other("killed")),
                Ok(_) if !fds[1].revents().is_empty() => return Ok(()),
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits for nothing but the interrupt.
    pub(super) fn wait(&self) -> io::Error {
        match self.wait_for(self.0.as_fd(), PollFlags::IN) {
            Ok(()) => io::Error::other("killed"),
            Err(error) => error,
        }
    }

    /// Reads as soon as there is something.
    pub(super) fn read(&self, fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.wait_for(fd, PollFlags::IN)?;
            match rustix::io::read(fd, &mut *buffer) {
                Ok(read) => return Ok(read),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Writes everything.
    pub(super) fn write_all(&self, fd: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.wait_for(fd, PollFlags::OUT)?;
            match rustix::io::write(fd, bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl AsFd for Interrupt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Makes reads and writes on `fd` return instead of waiting, so that every wait is an interruptible one.
pub(super) fn never_block(fd: &OwnedFd) -> io::Result<()> {
    Ok(rustix::io::ioctl_fionbio(fd, true)?)
}
