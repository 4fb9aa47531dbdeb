use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;

use super::start::Ended;
use crate::Output;

/// Our ends of a captured program's pipes.
pub(super) struct Capture {
    stdin: pipe::Sender,
    stdout: pipe::Receiver,
    stderr: pipe::Receiver,
}

/// The program's ends.
pub(super) struct Ends {
    pub(super) stdin: OwnedFd,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
}

pub(super) fn pipes() -> io::Result<(Capture, Ends)> {
    let (their_stdin, stdin) = io::pipe()?;
    let (stdout, their_stdout) = io::pipe()?;
    let (stderr, their_stderr) = io::pipe()?;
    let capture = Capture {
        stdin: pipe::Sender::from_owned_fd(stdin.into())?,
        stdout: pipe::Receiver::from_owned_fd(stdout.into())?,
        stderr: pipe::Receiver::from_owned_fd(stderr.into())?,
    };
    Ok((capture, Ends { stdin: their_stdin.into(), stdout: their_stdout.into(), stderr: their_stderr.into() }))
}

/// Why a program's output could not be kept.
pub(super) enum Uncaptured {
    /// One stream brought more than [`Output::MOST`].
    TooMuch,
    Io(io::Error),
}

impl<E: Into<io::Error>> From<E> for Uncaptured {
    fn from(error: E) -> Self {
        Self::Io(error.into())
    }
}

impl Capture {
    /// Feeds `stdin` and collects stdout and stderr until the program has ended. Daemons that it left behind may hold
    /// the pipes for ever: what they write later is not waited for.
    pub(super) async fn run(self, stdin: &[u8], ended: Ended) -> Result<(Vec<u8>, Vec<u8>), Uncaptured> {
        let feeding = async {
            feed(self.stdin, stdin, ended.clone()).await;
            Ok(())
        };
        let (stdout, stderr, ()) =
            tokio::try_join!(collect(self.stdout, ended.clone()), collect(self.stderr, ended.clone()), feeding)?;
        Ok((stdout, stderr))
    }
}

async fn feed(mut pipe: pipe::Sender, bytes: &[u8], mut ended: Ended) {
    tokio::select! {
        // A program need not read what it is fed.
        _fed_or_unwanted = pipe.write_all(bytes) => {}
        _ended = ended.wait_for(Option::is_some) => {}
    }
}

async fn collect(mut pipe: pipe::Receiver, mut ended: Ended) -> Result<Vec<u8>, Uncaptured> {
    let mut bytes = Vec::new();
    loop {
        if bytes.len() > Output::MOST {
            return Err(Uncaptured::TooMuch);
        }
        tokio::select! {
            biased;
            read = pipe.read_buf(&mut bytes) => if read? == 0 { return Ok(bytes) },
            _ended = ended.wait_for(Option::is_some) => break,
        }
    }
    // What it wrote before its end is in the pipe by now.
    let pipe = pipe.into_nonblocking_fd()?;
    loop {
        bytes.reserve(64 * 1024);
        match rustix::io::read(&pipe, rustix::buffer::spare_capacity(&mut bytes)) {
            Ok(0) | Err(Errno::AGAIN) => return Ok(bytes),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
