use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bottle::{CopyError, ExecError};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::OnceCell;

use super::life::Life;
use crate::wire::{self, Progress, Request};

/// How long the end of a bottle may take to follow the end of a process that held it together.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest reason that is passed on, in characters.
const LONGEST_REASON: usize = 512;

/// The session's end of the control stream.
pub struct Control {
    /// `None` once let go.
    stream: Mutex<Option<OwnedFd>>,
    life: Arc<Life>,
    last_word: OnceCell<Option<String>>,
}

impl Control {
    /// Takes over the stream on whose other end a helper serves.
    pub fn new(stream: OwnedFd, life: Arc<Life>) -> Self {
        Self { stream: Mutex::new(Some(stream)), life, last_word: OnceCell::new() }
    }

    /// The bottle's life.
    pub fn life(&self) -> &Arc<Life> {
        &self.life
    }

    /// Sends a request. `false` when the bottle is gone.
    ///
    /// # Errors
    /// When it cannot be sent for another reason.
    pub fn send(&self, request: &Request, fds: &[BorrowedFd<'_>]) -> io::Result<bool> {
        let stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(stream) = stream.as_ref() else { return Ok(false) };
        match wire::send_frame(stream.as_fd(), request, fds) {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Lets go of the stream, which ends PID 1, and makes sure of it.
    pub fn let_go(&self) {
        let stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner).take();
        if stream.is_some() {
            self.life.end();
        }
    }

    /// Why no program runs any more.
    pub async fn no_exec(&self, bottle: &str) -> ExecError {
        let bottle = bottle.to_owned();
        match self.last_word().await {
            Some(reason) => ExecError::Ended { bottle, reason },
            None => ExecError::Gone { bottle },
        }
    }

    /// Why nothing is copied any more.
    pub async fn no_copy(&self, bottle: &str) -> CopyError {
        let bottle = bottle.to_owned();
        match self.last_word().await {
            Some(reason) => CopyError::Ended { bottle, reason },
            None => CopyError::Gone { bottle },
        }
    }

    /// What PID 1 said when it ended the bottle by itself; `None` when it was closed, or killed from outside.
    async fn last_word(&self) -> Option<String> {
        let word = self.last_word.get_or_init(|| async {
            // A process that held the bottle together may be gone a moment before PID 1 has seen it and said so.
            tokio::time::timeout(PATIENCE, self.life.ended()).await.ok()?.ok()?;
            let stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
            said(stream.as_ref()?)
        });
        word.await.clone()
    }
}

/// The last message on the stream of a bottle that has ended. Never waits.
fn said(stream: &OwnedFd) -> Option<String> {
    let mut polled = [PollFd::new(stream, PollFlags::IN)];
    poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).ok()?;
    if !polled[0].revents().contains(PollFlags::IN) {
        return None;
    }
    match wire::receive_frame::<Progress>(stream.as_fd()) {
        Ok(Some((Progress::Failed { step, reason, .. }, _))) => {
            let text = format!("{step}: {reason}");
            Some(text.chars().filter(|character| !character.is_control()).take(LONGEST_REASON).collect())
        }
        Ok(Some((Progress::Unshared | Progress::Ready { .. }, _)) | None) | Err(_) => None,
    }
}
