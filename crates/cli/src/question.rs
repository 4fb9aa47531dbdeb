use secret::Secret;
use session::terminal::{Question, QuestionError, Wanted, ask, restore_all};
use session::{Caught, Interrupts};

use crate::failure::Failure;

/// What became of something that waits for the person.
#[derive(Debug)]
pub enum Waited<T> {
    /// The person did it.
    Done(T),
    /// Ctrl-C, or a signal to us.
    Caught(Caught),
}

/// Runs `work`, which blocks on the terminal, while signals are heard: the terminal is put back on every way out.
///
/// # Errors
/// When the thread for it cannot be had.
pub async fn wait<T: Send + 'static>(
    interrupts: &mut Interrupts,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Waited<T>, Failure> {
    tokio::select! {
        done = tokio::task::spawn_blocking(work) => Ok(Waited::Done(done?)),
        caught = interrupts.next() => {
            restore_all();
            Ok(Waited::Caught(caught))
        }
    }
}

/// Asks y/N. `None` when there is nobody to ask. Only `y`, `Y`, `yes` and `YES` mean yes.
///
/// # Errors
/// When the terminal cannot be used.
pub async fn confirm(interrupts: &mut Interrupts, text: String) -> Result<Waited<Option<bool>>, Failure> {
    match line(interrupts, text, Wanted::Decision).await? {
        Waited::Done(Some(answer)) => Ok(Waited::Done(Some(matches!(answer.reveal(), b"y" | b"Y" | b"yes" | b"YES")))),
        Waited::Done(None) => Ok(Waited::Done(None)),
        Waited::Caught(caught) => Ok(Waited::Caught(caught)),
    }
}

/// Asks for a line. `None` when there is nobody to ask.
///
/// # Errors
/// When the terminal cannot be used.
pub async fn line(interrupts: &mut Interrupts, text: String, wanted: Wanted) -> Result<Waited<Option<Secret>>, Failure> {
    match wait(interrupts, move || ask(Question { text: &text, wanted })).await? {
        Waited::Caught(caught) => Ok(Waited::Caught(caught)),
        Waited::Done(Ok(answer)) => Ok(Waited::Done(Some(answer))),
        Waited::Done(Err(QuestionError::Interrupted)) => Ok(Waited::Caught(Caught::Signal(bottle::Signal::Interrupt))),
        Waited::Done(Err(QuestionError::NoTerminal)) => Ok(Waited::Done(None)),
        Waited::Done(Err(error @ (QuestionError::TooLong | QuestionError::Io(_)))) => Err(error.into()),
    }
}
