use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use policy::Login;
use rustix::fs::{self, CWD, FileType, Mode, OFlags};
use secret::Secret;

use super::{LoginError, claude, codex};
use crate::{Host, LoginFolder};

/// Longest login file that is read, in bytes.
const MOST: u64 = 1024 * 1024;

/// Where a login is kept.
#[derive(Debug)]
pub(crate) struct Place {
    folder: PathBuf,
    file: PathBuf,
    /// What the file may not lead out of.
    within: PathBuf,
}

/// By what a changed file is known: device, inode, size, and when it was changed in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp(u64, u64, u64, i64, i64);

impl Place {
    pub(crate) fn new(login: Login, host: &Host) -> Self {
        let (folder, usual, file) = match login {
            Login::Claude => (&host.claude, ".claude", claude::FILE),
            Login::Codex => (&host.codex, ".codex", codex::FILE),
        };
        let (folder, within) = match folder {
            LoginFolder::Usual => (host.home.join(usual), host.home.clone()),
            LoginFolder::Moved(folder) => (folder.clone(), folder.clone()),
        };
        Self { file: folder.join(file), folder, within }
    }

    /// The program's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// By what the file as it is now is known.
    pub(crate) fn stamp(&self) -> Result<Stamp, LoginError> {
        let metadata = std::fs::metadata(&self.file).map_err(|error| self.unreadable(&error))?;
        Ok(Stamp(metadata.dev(), metadata.ino(), metadata.size(), metadata.mtime(), metadata.mtime_nsec()))
    }

    /// The file itself, no link.
    pub(crate) fn target(&self) -> Result<PathBuf, LoginError> {
        let target = std::fs::canonicalize(&self.file).map_err(|error| self.unreadable(&error))?;
        let within = std::fs::canonicalize(&self.within).map_err(|error| self.unreadable(&error))?;
        if target.starts_with(within) { Ok(target) } else { Err(LoginError::LeadsOut(self.file.clone())) }
    }

    /// What the file holds.
    pub(crate) fn read(&self) -> Result<Secret, LoginError> {
        let target = self.target()?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let io = |error: rustix::io::Errno| self.unreadable(&error.into());
        let file = fs::openat(CWD, &target, flags, Mode::empty()).map_err(io)?;
        let stat = fs::fstat(&file).map_err(io)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(self.refused("it is not a file".to_owned()));
        }
        if stat.st_uid != rustix::process::geteuid().as_raw() {
            return Err(self.refused(format!("it belongs to user {}", stat.st_uid)));
        }
        let mut content = Vec::with_capacity(usize::try_from(stat.st_size).unwrap_or(0).min(MOST as usize) + 1);
        let read = File::from(file).take(MOST).read_to_end(&mut content);
        let content = Secret::new(content);
        read.map_err(|error| self.unreadable(&error))?;
        Ok(content)
    }

    fn refused(&self, reason: String) -> LoginError {
        LoginError::Unreadable { path: self.file.clone(), reason }
    }

    fn unreadable(&self, error: &std::io::Error) -> LoginError {
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => LoginError::Missing(self.file.clone()),
            _ => self.refused(error.to_string()),
        }
    }
}
