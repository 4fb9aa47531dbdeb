use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use policy::TokenRef;
use rustix::fs::{self, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use secret::Secret;
use shown::Shown;

use crate::{CredentialError, value};

/// Reads a credential from a file of the host. Links are the person's own and are followed.
pub(crate) fn read(source: &TokenRef, path: &Path) -> Result<Secret, CredentialError> {
    if !path.is_absolute() {
        return Err(CredentialError::of(source, "is not a full path", "begin it with / or ~/"));
    }
    // Without waiting: a FIFO would hold the launch, or every request, until somebody wrote to it.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::openat(CWD, path, flags, Mode::empty()).map_err(|error| unreadable(source, path, error))?;
    let stat = fs::fstat(&file).map_err(|error| unreadable(source, path, error))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(CredentialError::of(source, "is not a file", "name a file, or a command that prints the credential"));
    }
    let me = rustix::process::geteuid().as_raw();
    // Root's is as good as one's own: whoever is root may read and choose everything here anyway.
    if stat.st_uid != me && stat.st_uid != 0 {
        let hint = "use a file of your own: whoever owns it decides whose account your requests go to";
        return Err(CredentialError::of(source, format_args!("belongs to user {}, and you are user {me}", stat.st_uid), hint));
    }
    if stat.st_mode & 0o006 != 0 {
        let hint = format!("close it: chmod 600 {}", Shown::path(path));
        return Err(CredentialError::of(source, "is open to every user of this machine", hint));
    }
    let mut given = Vec::with_capacity(value::MOST + 1);
    let read = File::from(file).take(value::MOST as u64 + 1).read_to_end(&mut given);
    let given = Secret::new(given);
    read.map_err(|error| CredentialError::of(source, format_args!("cannot be read: {error}"), "read it yourself to see why"))?;
    value::parse(&given).map_err(|error| {
        let hint = "the file has to hold the credential and nothing else";
        CredentialError::of(source, error, hint)
    })
}

fn unreadable(source: &TokenRef, path: &Path, error: Errno) -> CredentialError {
    let shown = Shown::path(path);
    match error {
        Errno::NOENT | Errno::NOTDIR => CredentialError::of(source, "does not exist", format!("write the credential to {shown}")),
        Errno::ACCESS => {
            CredentialError::of(source, "may not be read by you", format!("it has to be yours: chown it, and chmod 600 {shown}"))
        }
        error => CredentialError::of(source, format_args!("cannot be opened: {error}"), "open it yourself to see why"),
    }
}

#[cfg(test)]
mod tests;
