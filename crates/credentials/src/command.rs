use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use policy::TokenRef;
use rustix::process::{Pid, Signal};
use secret::Secret;
use shown::Shown;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};

use crate::{CredentialError, Host, value};

/// Runs a program of the host that prints a credential, such as a password manager. It gets the person's environment, since it
/// may need an agent's socket of theirs, but nothing to read from.
pub(crate) async fn read(source: &TokenRef, argv: &[String], host: &Host, deadline: Duration) -> Result<Secret, CredentialError> {
    let Some((program, arguments)) = argv.split_first().filter(|(program, _)| !program.is_empty()) else {
        return Err(CredentialError::of(source, "is empty", "name a program and its arguments"));
    };
    let program = host.expand(Path::new(program));
    if program.components().count() > 1 && program.is_relative() {
        return Err(CredentialError::of(source, "is not a full path", "begin it with / or ~/, or use a name alone"));
    }
    let child = start(source, &program, arguments, &host.home)?;
    let group = Group::of(&child);
    let Ok(outcome) = tokio::time::timeout(deadline, outcome(child)).await else {
        let wrong = format!("printed nothing for {} seconds and was ended", deadline.as_secs());
        return Err(CredentialError::of(source, wrong, "run it yourself: it may wait for a passphrase, so unlock it first"));
    };
    let outcome = outcome.map_err(|error| CredentialError::of(source, error, "run it yourself to see why"))?;
    group.has_ended();
    if !outcome.status.success() {
        let wrong = format!("failed ({}){}", outcome.status, outcome.last_line());
        return Err(CredentialError::of(source, wrong, "run it yourself to see why"));
    }
    let hint = "it has to print the credential and nothing else";
    value::parse(&outcome.printed).map_err(|error| CredentialError::of(source, format_args!("printed what {error}"), hint))
}

fn start(source: &TokenRef, program: &Path, arguments: &[String], home: &Path) -> Result<Child, CredentialError> {
    #[allow(clippy::disallowed_methods, reason = "this module owns the programs that print the person's credentials")]
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Threat: where bot-bottle is started lies a cloned repository with an `op` of its own, and `.` stands on the PATH.
    command.current_dir(home);
    command.process_group(0).kill_on_drop(true);
    command.spawn().map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => "install it, or write its full path",
            // Also when a folder of the PATH may not be looked into and no other has it.
            std::io::ErrorKind::PermissionDenied => "write its full path; it has to be a program that you may run",
            _ => "run it yourself to see why",
        };
        CredentialError::of(source, format_args!("cannot be started: {error}"), hint)
    })
}

struct Outcome {
    status: ExitStatus,
    printed: Secret,
    complained: Secret,
}

#[derive(Debug, thiserror::Error)]
enum OutcomeError {
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    #[error("printed more than 64 KB and was ended")]
    TooMuch,
}

async fn outcome(mut child: Child) -> Result<Outcome, OutcomeError> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let ended = async { Ok(child.wait().await?) };
    let (status, printed, complained) = tokio::try_join!(ended, all_of(stdout), end_of(stderr))?;
    Ok(Outcome { status, printed, complained })
}

impl Outcome {
    /// The last line of its complaint, for the person; not when it repeats what was printed.
    fn last_line(&self) -> String {
        let complaint = String::from_utf8_lossy(self.complained.reveal().trim_ascii());
        let line = complaint.lines().next_back().unwrap_or_default();
        let printed = String::from_utf8_lossy(self.printed.reveal().trim_ascii());
        if line.is_empty() || (!printed.is_empty() && line.contains(printed.as_ref())) {
            return String::new();
        }
        let short: String = line.chars().take(200).collect();
        format!(": {}", Shown::text(&short))
    }
}

async fn all_of(stream: Option<impl AsyncRead + Unpin>) -> Result<Secret, OutcomeError> {
    let mut all = Vec::with_capacity(value::MOST + 1);
    if let Some(stream) = stream {
        stream.take(value::MOST as u64 + 1).read_to_end(&mut all).await?;
    }
    let all = Secret::new(all);
    if all.reveal().len() > value::MOST { Err(OutcomeError::TooMuch) } else { Ok(all) }
}

/// The end of a stream, some thousand bytes; what came before is read and forgotten.
async fn end_of(stream: Option<impl AsyncRead + Unpin>) -> Result<Secret, OutcomeError> {
    const KEPT: usize = 4096;
    let mut end = Vec::with_capacity(2 * KEPT);
    if let Some(mut stream) = stream {
        while stream.read_buf(&mut end).await? > 0 {
            if end.len() > KEPT {
                end.drain(..end.len() - KEPT);
            }
        }
    }
    Ok(Secret::new(end))
}

/// The program's process group: all that it started ends with the wait for it.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    /// Its number may now be another's.
    fn has_ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // Best effort: it may have ended just now.
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests;
