//! Running the program `smolvm`: its answers, its errors, its silence.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::Deserialize;
use shown::Shown;

/// Most that is read of an answer or a complaint.
const LONGEST: u64 = 16 << 20;
/// Most of a complaint that is passed on, in characters.
const LONGEST_COMPLAINT: usize = 600;

/// The program.
#[derive(Debug, Clone)]
pub struct Smolvm {
    /// A path, or a name on `PATH`.
    pub program: PathBuf,
    /// All of its environment.
    pub environment: Vec<(OsString, OsString)>,
}

/// Why it did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum SmolvmError {
    /// There is no such program.
    #[error("there is no program {}", Shown::path(.0))]
    Missing(PathBuf),
    /// It could not be started.
    #[error("starting {}: {source}", Shown::path(.program))]
    Start {
        /// The program.
        program: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// It says why not.
    #[error("`smolvm {command}`: {message} ({code})")]
    Refused {
        /// What was asked for: `machine start`.
        command: String,
        /// smolvm's own code, stable between versions.
        code: String,
        /// Its words, safe to print.
        message: String,
    },
    /// It failed without saying so in the form that was asked for.
    #[error("`smolvm {command}` ended with {status}{said}")]
    Failed {
        /// What was asked for.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// Its last words, safe to print.
        said: String,
    },
    /// It did not end.
    #[error("`smolvm {command}` has not ended after {after:?}")]
    Late {
        /// What was asked for.
        command: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// Its answer is not what this version of bot-bottle knows.
    #[error("`smolvm {command}` answered what cannot be read: {reason}")]
    Garbled {
        /// What was asked for.
        command: String,
        /// Why.
        reason: String,
    },
}

impl SmolvmError {
    /// Whether there is no machine of that name.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "NOT_FOUND")
    }
}

impl SmolvmError {
    /// Whether a machine's process was over, in good order, before the machine was ready: its workload has ended.
    pub fn is_an_early_end(&self) -> bool {
        matches!(self, Self::Refused { message, .. } if message.contains("exited (code 0) before"))
    }
}

impl Smolvm {
    /// Runs it to its end and gives what it wrote to stdout.
    ///
    /// # Errors
    /// When it does not succeed within `patience`; then it has been killed.
    pub async fn run(&self, arguments: Vec<OsString>, patience: Duration) -> Result<Vec<u8>, SmolvmError> {
        let command = named(&arguments);
        let start = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => SmolvmError::Missing(self.program.clone()),
            _other => SmolvmError::Start { program: self.program.clone(), source },
        };
        // Files, not pipes: a machine that it starts in the background may hold what it was given for as long as it lives.
        let (mut answer, mut complaint) = (tempfile::tempfile().map_err(start)?, tempfile::tempfile().map_err(start)?);
        #[allow(clippy::disallowed_methods, reason = "the module that owns `smolvm`")]
        let mut program = std::process::Command::new(&self.program);
        program.args(&arguments).env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        program.stdin(Stdio::null()).stdout(answer.try_clone().map_err(start)?).stderr(complaint.try_clone().map_err(start)?);
        // What is typed at the terminal is for the session, which then undoes what it has begun.
        std::os::unix::process::CommandExt::process_group(&mut program, 0);
        let mut child = tokio::process::Command::from(program).kill_on_drop(true).spawn().map_err(start)?;
        let Ok(status) = tokio::time::timeout(patience, child.wait()).await else {
            return Err(SmolvmError::Late { command, after: patience });
        };
        let status = status.map_err(start)?;
        if status.success() {
            return read(&mut answer).map_err(start);
        }
        Err(failure(command, status, &read(&mut complaint).map_err(start)?))
    }

    /// The same for an answer in JSON.
    ///
    /// # Errors
    /// Also when the answer is none.
    pub async fn ask<T: for<'a> Deserialize<'a>>(&self, arguments: Vec<OsString>, patience: Duration) -> Result<T, SmolvmError> {
        let command = named(&arguments);
        let answer = self.run(arguments, patience).await?;
        serde_json::from_slice(&answer).map_err(|error| SmolvmError::Garbled { command, reason: error.to_string() })
    }
}

/// `machine start`, for messages: the words before the first option.
fn named(arguments: &[OsString]) -> String {
    let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).take(2).collect();
    words.join(" ")
}

fn read(file: &mut File) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(LONGEST).read_to_end(&mut all)?;
    Ok(all)
}

#[derive(Deserialize)]
struct Complaint {
    error: Said,
}

#[derive(Deserialize)]
struct Said {
    code: String,
    message: String,
}

/// Warnings may stand before the error, which is a line of its own.
fn failure(command: String, status: ExitStatus, complaint: &[u8]) -> SmolvmError {
    let text = String::from_utf8_lossy(complaint);
    let said = text.lines().rev().find_map(|line| serde_json::from_str::<Complaint>(line).ok());
    match said {
        Some(Complaint { error: Said { code, message } }) => {
            SmolvmError::Refused { command, code: printable(&code), message: printable(&message) }
        }
        None => {
            let last = text.lines().rfind(|line| !line.trim().is_empty()).map(printable);
            SmolvmError::Failed { command, status, said: last.map(|line| format!(": {line}")).unwrap_or_default() }
        }
    }
}

/// A guest's console can be part of it.
fn printable(text: &str) -> String {
    let short: String = text.chars().take(LONGEST_COMPLAINT).collect();
    Shown::text(&short).to_string()
}
