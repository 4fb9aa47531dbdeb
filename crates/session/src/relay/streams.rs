use std::io;
use std::os::fd::OwnedFd;
use std::thread::{self, JoinHandle};

use rustix::pipe::{PipeFlags, pipe_with};

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

/// Threads that copy between our stdin, stdout and stderr and a program's.
#[derive(Debug)]
pub struct StreamRelay {
    outputs: [JoinHandle<()>; 2],
    done: OwnedFd,
}

/// Makes three pipes.
///
/// # Errors
/// When the system refuses (a full file table).
pub fn pipes() -> io::Result<(NearEnds, FarEnds)> {
    let (stdin, near_stdin) = pipe_with(PipeFlags::CLOEXEC)?;
    let (near_stdout, stdout) = pipe_with(PipeFlags::CLOEXEC)?;
    let (near_stderr, stderr) = pipe_with(PipeFlags::CLOEXEC)?;
    let near = NearEnds { stdin: near_stdin, stdout: near_stdout, stderr: near_stderr };
    Ok((near, FarEnds { stdin, stdout, stderr }))
}

impl NearEnds {
    /// Starts copying.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn start(self, from: StdinFrom) -> io::Result<StreamRelay> {
        let Self { stdin, stdout, stderr } = self;
        let (ended, done) = pipe_with(PipeFlags::CLOEXEC)?;
        let second = ended.try_clone()?;
        // When a copy fails, our own reader is gone (EPIPE): the near end is dropped with the thread and the program in the
        // bottle gets EPIPE or SIGPIPE in its turn, as in any pipeline.
        let stdout = spawn("stdout", move || drop(super::copy::copy(&stdout, io::stdout(), &ended)))?;
        let stderr = spawn("stderr", move || drop(super::copy::copy(&stderr, io::stderr(), &second)))?;
        match from {
            StdinFrom::Nothing => drop(stdin),
            // Never joined: it may be waiting for a person to type.
            StdinFrom::Ours => drop(spawn("stdin", move || copy_stdin(&stdin))?),
        }
        Ok(StreamRelay { outputs: [stdout, stderr], done })
    }
}

impl StreamRelay {
    /// To be called when the program has ended: passes on what it wrote last, then returns. Blocks while our own readers do.
    pub fn finish(self) {
        drop(self.done);
        for output in self.outputs {
            // A copying thread cannot panic; its end is all that matters.
            let _ = output.join();
        }
    }
}

fn copy_stdin(to: &OwnedFd) {
    // `done` for this direction is the pipe itself: its error condition says that the program reads no more.
    let _ = super::copy::copy_until_closed(io::stdin(), to);
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).stack_size(256 * 1024).spawn(run)
}

#[cfg(test)]
#[path = "streams_tests.rs"]
mod tests;
