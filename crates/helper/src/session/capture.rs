//! Running a program to its end and keeping its output.

use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};

use bottle::{Exec, ExecError, Output, Running};
use rustix::pipe::{PipeFlags, pipe_with};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;

use super::process::ServedProcess;

/// The three pipes of a captured program.
pub struct Pipes {
    /// The program's ends: stdin, stdout, stderr.
    pub theirs: [OwnedFd; 3],
    stdin: pipe::Sender,
    stdout: pipe::Receiver,
    stderr: pipe::Receiver,
}

impl Pipes {
    /// Makes them.
    pub fn new() -> io::Result<Self> {
        let pair = || pipe_with(PipeFlags::CLOEXEC);
        let ((in_theirs, in_ours), (out_ours, out_theirs), (err_ours, err_theirs)) = (pair()?, pair()?, pair()?);
        for ours in [&in_ours, &out_ours, &err_ours] {
            rustix::io::ioctl_fionbio(ours, true)?;
        }
        Ok(Self {
            theirs: [in_theirs, out_theirs, err_theirs],
            stdin: pipe::Sender::from_owned_fd(in_ours)?,
            stdout: pipe::Receiver::from_owned_fd(out_ours)?,
            stderr: pipe::Receiver::from_owned_fd(err_ours)?,
        })
    }

    /// Feeds stdin, keeps the rest, until the program ends. More than [`Output::MOST`] in one stream ends the program: its
    /// output must not fill the memory of the host.
    pub async fn run(self, bottle: &str, exec: &Exec, process: &ServedProcess) -> Result<Output, ExecError> {
        let Self { theirs, stdin, stdout, stderr } = self;
        // Only the program may hold its ends, or we would wait for ourselves.
        drop(theirs);
        let unfinished = process.kill_on_drop();
        let (mut out, mut err) = (Kept::new(stdout), Kept::new(stderr));
        let streams = async {
            let feeding = async {
                feed(stdin, &exec.stdin).await;
                Ok(())
            };
            tokio::try_join!(feeding, out.fill(), err.fill()).map(drop)
        };
        let too_much = || ExecError::TooMuchOutput { bottle: bottle.to_owned(), program: exec.program(), most: Output::MOST };
        // The program's end is the end: something it left running may hold the streams open for ever. What it wrote
        // itself is in the pipes by then.
        let status = tokio::select! {
            biased;
            status = process.wait() => status?,
            () = async { if streams.await.is_ok() { std::future::pending().await } } => return Err(too_much()),
        };
        unfinished.defuse();
        let failed = |error: io::Error| ExecError::Failed {
            bottle: bottle.to_owned(),
            program: exec.program(),
            reason: error.to_string(),
        };
        Ok(Output { status, stdout: out.finish().map_err(failed)?, stderr: err.finish().map_err(failed)? })
    }
}

/// A program that does not read its stdin is no error.
async fn feed(mut to: pipe::Sender, bytes: &[u8]) {
    let _ = to.write_all(bytes).await;
}

/// A stream brought more than is kept.
struct TooMuch;

/// One stream and what it has brought.
struct Kept {
    from: pipe::Receiver,
    bytes: Vec<u8>,
}

impl Kept {
    fn new(from: pipe::Receiver) -> Self {
        Self { from, bytes: Vec::new() }
    }

    /// Reads to the end; fails when there is too much.
    async fn fill(&mut self) -> Result<(), TooMuch> {
        while self.bytes.len() <= Output::MOST {
            match self.from.read_buf(&mut self.bytes).await {
                Ok(0) | Err(_) => return Ok(()),
                Ok(_) => {}
            }
        }
        Err(TooMuch)
    }

    /// Takes what is still in the pipe. No more than it holds: something that goes on writing is not waited for.
    fn finish(mut self) -> io::Result<Vec<u8>> {
        let waiting = rustix::io::ioctl_fionread(&self.from)?;
        let file = std::fs::File::from(self.from.as_fd().try_clone_to_owned()?);
        match file.take(waiting).read_to_end(&mut self.bytes) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            Ok(_) | Err(_) => Ok(self.bytes),
        }
    }
}
