use std::fs::File;
use std::io::{self, Read as _, Write as _};

use rustix::termios::{QueueSelector, tcflush};
use secret::Secret;

use super::Mode;
use super::line::{Line, Pressed};

/// A question to the person, on the controlling terminal, whatever stdin and stdout are.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What is asked, shown as it is: the caller escapes what came from elsewhere.
    pub text: &'a str,
    /// What is wanted.
    pub wanted: Wanted,
}

/// What a question is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A decision, shown while it is typed. What was typed before the question stood there is thrown away: nobody has decided
    /// what they had not read.
    Decision,
    /// A secret, unseen. What was typed ahead is its beginning.
    Secret,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    /// There is nobody to ask.
    #[error("there is no terminal to ask on")]
    NoTerminal,
    /// Ctrl-C, Ctrl-D on an empty line, or the terminal hung up.
    #[error("interrupted")]
    Interrupted,
    /// More than [`ANSWER_MAX`] bytes.
    #[error("the answer is longer than {ANSWER_MAX} bytes")]
    TooLong,
    /// The system refused.
    #[error("asking on the terminal: {0}")]
    Io(#[from] io::Error),
}

/// Longest answer, in bytes: half of what Linux takes as one variable of a program (`execve(2)`).
pub const ANSWER_MAX: usize = 64 * 1024;

/// Asks and reads one line, without its end. Backspace and Ctrl-U take back. Blocks. May be empty.
///
/// # Errors
/// When there is no controlling terminal, the person pressed Ctrl-C or Ctrl-D, or the answer is too long.
pub fn ask(question: Question<'_>) -> Result<Secret, QuestionError> {
    let opened = File::options().read(true).write(true).open("/dev/tty");
    let mut terminal = opened.map_err(|_| QuestionError::NoTerminal)?;
    let _mode = Mode::Keys.enter(&terminal)?;
    if question.wanted == Wanted::Decision {
        tcflush(&terminal, QueueSelector::IFlush).map_err(io::Error::from)?;
    }
    terminal.write_all(question.text.as_bytes())?;
    let answer = read(&mut terminal, question.wanted);
    if let Err(QuestionError::TooLong) = answer {
        // The rest of what was pasted must not be typed into the person's shell.
        let _ = tcflush(&terminal, QueueSelector::IFlush);
    }
    // Whatever comes next begins on a line of its own; the terminal may have hung up.
    let _ = terminal.write_all(b"\n");
    answer
}

fn read(terminal: &mut File, wanted: Wanted) -> Result<Secret, QuestionError> {
    let mut line = Line::new(ANSWER_MAX);
    loop {
        // One at a time: what is typed ahead belongs to whoever asks next.
        let mut key = [0];
        if terminal.read(&mut key)? == 0 {
            return Err(QuestionError::Interrupted);
        }
        let shown = match line.press(key[0]) {
            Pressed::Typed => vec![key[0]],
            Pressed::Erased(characters) => b"\x08 \x08".repeat(characters),
            Pressed::Nothing => Vec::new(),
            Pressed::Enter => return Ok(line.into_answer()),
            Pressed::Interrupt => return Err(QuestionError::Interrupted),
            Pressed::TooLong => return Err(QuestionError::TooLong),
        };
        if wanted == Wanted::Decision {
            terminal.write_all(&shown)?;
        }
    }
}
