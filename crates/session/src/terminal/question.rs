use std::fs::File;
use std::io::{self, Read as _, Write as _};

use secret::Secret;

use super::Mode;

/// A question to the person, on the controlling terminal, whatever stdin and stdout are.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What is asked, shown as it is: the caller escapes what came from elsewhere.
    pub text: &'a str,
    /// Whether the answer is shown while it is typed.
    pub echo: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    /// There is nobody to ask.
    #[error("there is no terminal to ask on")]
    NoTerminal,
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// The system refused.
    #[error("asking on the terminal: {0}")]
    Io(#[from] io::Error),
}

/// Longest answer, in bytes.
const ANSWER_MAX: usize = 64 * 1024;

/// Asks and reads one line, without its end. Blocks.
///
/// # Errors
/// When there is no controlling terminal, or the person pressed Ctrl-C.
pub fn ask(question: Question<'_>) -> Result<Secret, QuestionError> {
    let opened = File::options().read(true).write(true).open("/dev/tty");
    let mut terminal = opened.map_err(|_| QuestionError::NoTerminal)?;
    let _mode = Mode::Line { echo: question.echo }.enter(&terminal)?;
    terminal.write_all(question.text.as_bytes())?;
    let mut answer = Vec::new();
    // A canonical terminal hands out a line in one read, unless it is longer than the buffer.
    let mut buffer = [0; 4096];
    loop {
        let count = terminal.read(&mut buffer)?;
        answer.extend_from_slice(&buffer[..count]);
        if answer.contains(&0x03) {
            let _ = terminal.write_all(b"\n");
            return Err(QuestionError::Interrupted);
        }
        if count == 0 || answer.ends_with(b"\n") || answer.len() > ANSWER_MAX {
            break;
        }
    }
    buffer.fill(0);
    while answer.last().is_some_and(|last| matches!(last, b'\n' | b'\r')) {
        answer.pop();
    }
    Ok(Secret::new(answer))
}
