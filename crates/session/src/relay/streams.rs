use std::io;
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd as _, OwnedFd};
use std::thread::{self, JoinHandle};

use rustix::fs::OFlags;
use rustix::pipe::{PipeFlags, pipe_with};

use super::copy::CopyError;

/// The ends that a program in the bottle gets.
#[derive(Debug)]
pub struct FarEnds {
    /// It reads this.
    pub stdin: OwnedFd,
    /// It writes this.
    pub stdout: OwnedFd,
    /// It writes this too.
    pub stderr: OwnedFd,
}

/// The ends that stay here.
#[derive(Debug)]
pub struct NearEnds {
    stdin: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
}

/// What the program reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StdinFrom {
    /// Our own stdin, to its end.
    Ours,
    /// Nothing: it is at its end from the beginning.
    Nothing,
}

impl StdinFrom {
    /// Our own stdin, where it can be read: `nohup` puts a descriptor that is open for writing alone in a terminal's place, to
    /// say that there is no input.
    pub fn readable() -> Self {
        match rustix::fs::fcntl_getfl(io::stdin()) {
            Ok(flags) if flags & OFlags::RWMODE == OFlags::WRONLY => Self::Nothing,
            Ok(_) | Err(_) => Self::Ours,
        }
    }
}

/// Copies between our stdin, stdout and stderr and a program's, on threads of its own.
#[derive(Debug)]
pub struct StreamRelay {
    stdout: Output,
    stderr: Output,
    /// Hung up when the program has ended.
    ended: OwnedFd,
    done: OwnedFd,
}

/// One stream that the program writes.
#[derive(Debug)]
enum Output {
    /// Nothing has come yet.
    Silent(OwnedFd),
    /// It ended before anything came, as that of most programs: no thread is made for it.
    Ended,
    Copied(JoinHandle<io::Result<()>>),
}

/// Makes three pipes.
///
/// # Errors
/// When the system refuses (a full file table).
pub fn pipes() -> io::Result<(NearEnds, FarEnds)> {
    let (stdin, near_stdin) = pipe_with(PipeFlags::CLOEXEC)?;
    let (near_stdout, stdout) = pipe_with(PipeFlags::CLOEXEC)?;
    let (near_stderr, stderr) = pipe_with(PipeFlags::CLOEXEC)?;
    // Our ends alone: a program in the bottle can open its own to read, and take what we are about to.
    for ours in [&near_stdout, &near_stderr] {
        rustix::io::ioctl_fionbio(ours, true)?;
    }
    let near = NearEnds { stdin: near_stdin, stdout: near_stdout, stderr: near_stderr };
    Ok((near, FarEnds { stdin, stdout, stderr }))
}

impl NearEnds {
    /// Starts copying. `broken` is called when our stdin cannot be read: the program's is not closed then, for it must not take what
    /// it has for all there is, and is to be ended.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn start(self, from: StdinFrom, broken: impl FnOnce(io::Error) + Send + 'static) -> io::Result<StreamRelay> {
        let (mut relay, stdin) = self.silent()?;
        relay.stdout = relay.stdout.copied("stdout", io::stdout, &relay.ended)?;
        relay.stderr = relay.stderr.copied("stderr", io::stderr, &relay.ended)?;
        match from {
            StdinFrom::Nothing => drop(stdin),
            StdinFrom::Ours => copy_stdin(stdin, broken)?,
        }
        Ok(relay)
    }

    /// Starts copying each stream when there is something in it, and returns when all are copied or `over` has something to
    /// say. A program that ends at once and says little then costs no thread. `broken` as with [`NearEnds::start`].
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn start_as_needed(
        self,
        from: StdinFrom,
        over: impl AsFd,
        broken: impl FnOnce(io::Error) + Send + 'static,
    ) -> io::Result<StreamRelay> {
        let (mut relay, stdin) = self.silent()?;
        let mut stdin = (from == StdinFrom::Ours).then_some((stdin, broken));
        loop {
            let (silent_out, silent_err) = (relay.stdout.silent(), relay.stderr.silent());
            if silent_out.is_none() && silent_err.is_none() && stdin.is_none() {
                return Ok(relay);
            }
            let ours = io::stdin();
            let wanted = [Some(over.as_fd()), silent_out, silent_err, stdin.is_some().then(|| ours.as_fd())];
            let [is_over, out, err, typed] = super::copy::readable(wanted)?;
            if is_over {
                return Ok(relay);
            }
            if out {
                relay.stdout = relay.stdout.copied("stdout", io::stdout, &relay.ended)?;
            }
            if err {
                relay.stderr = relay.stderr.copied("stderr", io::stderr, &relay.ended)?;
            }
            if typed && let Some((stdin, broken)) = stdin.take() {
                match super::copy::first(&ours, &stdin) {
                    Ok(true) => copy_stdin(stdin, broken)?,
                    // Most often the end of /dev/null, which needs no thread to be passed on.
                    Ok(false) => {}
                    Err(error) => break_off(stdin, error, broken),
                }
            }
        }
    }

    fn silent(self) -> io::Result<(StreamRelay, OwnedFd)> {
        let (ended, done) = pipe_with(PipeFlags::CLOEXEC)?;
        let (stdout, stderr) = (Output::Silent(self.stdout), Output::Silent(self.stderr));
        Ok((StreamRelay { stdout, stderr, ended, done }, self.stdin))
    }
}

impl Output {
    fn silent(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Silent(near) => Some(near.as_fd()),
            Self::Copied(_) | Self::Ended => None,
        }
    }

    /// When a copy fails, our own reader is gone (EPIPE), or the disk is full: the near end is dropped with the thread and the
    /// program in the bottle gets EPIPE or SIGPIPE in its turn, as in any pipeline.
    fn copied<T: AsFd + 'static>(self, name: &str, to: fn() -> T, ended: &OwnedFd) -> io::Result<Self> {
        match self {
            Self::Silent(near) if super::copy::is_at_its_end(&near)? => Ok(Self::Ended),
            Self::Silent(near) => {
                let ended = ended.try_clone()?;
                spawn(name, move || super::copy::copy(&near, to(), &ended)).map(Self::Copied)
            }
            Self::Copied(thread) => Ok(Self::Copied(thread)),
            Self::Ended => Ok(Self::Ended),
        }
    }

    fn finish(self, to: impl AsFd) -> io::Result<()> {
        let copied = match self {
            Self::Silent(near) => super::copy::rest(&near, to),
            Self::Copied(thread) => thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that copies it failed"))),
            Self::Ended => Ok(()),
        };
        match copied {
            // Our own reader is gone, as above: it wanted no more.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            copied => copied,
        }
    }
}

impl StreamRelay {
    /// To be called when the program has ended: passes on what it wrote last, then returns. Blocks while our own readers do.
    ///
    /// # Errors
    /// When not all of its stdout could be passed on, though somebody reads it. What it says beside that, on stderr, is talk.
    pub fn finish(self) -> io::Result<()> {
        drop(self.done);
        let written = self.stdout.finish(io::stdout());
        drop(self.stderr.finish(io::stderr()));
        written
    }
}

/// Never joined: it may be waiting for a person to type.
fn copy_stdin(to: OwnedFd, broken: impl FnOnce(io::Error) + Send + 'static) -> io::Result<()> {
    // `done` for this direction is the pipe itself: its error condition says that the program reads no more.
    let copy = move || match super::copy::copy_until_closed(io::stdin(), &to) {
        Ok(()) | Err(CopyError::Writing(_)) => {}
        Err(CopyError::Reading(error)) => break_off(to, error, broken),
    };
    spawn("stdin", copy).map(drop)
}

/// Threat: a program that is told the end of an input of which it has half takes that for all there is, and acts on it. The pipe
/// stays open until our process ends, after the program.
fn break_off(to: OwnedFd, error: io::Error, broken: impl FnOnce(io::Error)) {
    let _kept_open = to.into_raw_fd();
    broken(error);
}

fn spawn<T: Send + 'static>(name: &str, run: impl FnOnce() -> T + Send + 'static) -> io::Result<JoinHandle<T>> {
    thread::Builder::new().name(name.to_owned()).stack_size(256 * 1024).spawn(run)
}

#[cfg(test)]
#[path = "streams_tests.rs"]
mod tests;
