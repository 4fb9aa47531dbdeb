//! The last steps of a new process: user, folder, filter, execve.

use std::ffi::{CString, OsStr};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::process::chdir;
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use serde::{Deserialize, Serialize};

use crate::beneath;
use crate::family::Families;
use crate::privileges;
use crate::serve::Helper;
use crate::sys;
use crate::wire::{Ids, Spawn, StartStep};

/// A program whose every string has been checked, ready to be executed by a forked child.
pub struct Program {
    argv: Vec<CString>,
    env: Vec<CString>,
    folder: CString,
    candidates: Vec<CString>,
    root: bool,
}

/// Why it could not be started.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Failure {
    /// The step that failed.
    pub step: StartStep,
    /// Error number (`errno(3)`).
    pub errno: i32,
}

impl<E: Into<io::Error>> From<E> for Failure {
    /// Whatever fails before the program's own steps.
    fn from(error: E) -> Self {
        Self { step: StartStep::Prepare, errno: errno(&error.into()) }
    }
}

/// Tells the watching process, from the forked child, why the program did not come to be.
pub fn report(to: &OwnedFd, failure: &Failure) {
    let _ = rustix::io::write(to, &postcard::to_stdvec(failure).unwrap_or_default());
}

/// What the child told; `None` when it became the program, which closed its end.
pub fn reported(from: &OwnedFd) -> Result<Option<Failure>, Failure> {
    let mut message = [0u8; 64];
    let got = rustix::io::retry_on_intr(|| rustix::io::read(from, &mut message))?;
    match message.get(..got) {
        None | Some([]) => Ok(None),
        Some(bytes) => postcard::from_bytes(bytes).map(Some).map_err(|error| io::Error::other(error).into()),
    }
}

/// Which session a program begins in (`setsid(2)`): never with a terminal that is not its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session {
    /// One without a terminal.
    Own,
    /// One whose terminal is its stdin.
    OwnOnTerminal,
    /// That of the process that watches, whose terminal is its stdin ([`crate::keeper`]).
    OnKeptTerminal,
}

impl Program {
    /// Prepares what can fail for its arguments' sake.
    pub fn new(spawn: Spawn) -> Result<Self, Failure> {
        let unusable = Failure { step: StartStep::Prepare, errno: libc::EINVAL };
        let c_string = |bytes: Vec<u8>| CString::new(bytes).map_err(|_| unusable);
        let argv = spawn.argv.into_iter().map(c_string).collect::<Result<Vec<_>, _>>()?;
        let env = spawn.env.into_iter().map(c_string).collect::<Result<Vec<_>, _>>()?;
        let name = argv.first().filter(|name| !name.is_empty()).ok_or(unusable)?;
        let candidates = candidates(name, &env);
        Ok(Self { candidates, folder: c_string(spawn.folder)?, argv, env, root: spawn.root })
    }

    /// Turns this process, fresh from fork, into the program. Returns only on failure.
    pub fn become_it(&self, helper: &Helper, streams: [BorrowedFd<'_>; 3], session: Session) -> Failure {
        let prepared = || -> io::Result<()> {
            match session {
                Session::Own => sys::new_session()?,
                Session::OwnOnTerminal => {
                    sys::new_session()?;
                    rustix::process::ioctl_tiocsctty(streams[0])?;
                }
                Session::OnKeptTerminal => sys::take_terminal(&streams[0])?,
            }
            dup2_stdin(streams[0])?;
            dup2_stdout(streams[1])?;
            dup2_stderr(streams[2])?;
            sys::reset_signals()?;
            rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
            privileges::become_user(self.root, helper.ids(), helper.node())?;
            sys::close_on_exec_from(3)
        };
        if let Err(error) = prepared() {
            return error.into();
        }
        // As the user, so that a folder closed to it is closed.
        if let Err(error) = self.enter_folder(helper.families()) {
            return Failure { step: StartStep::Folder, errno: errno(&error) };
        }
        if let Err(error) = helper.filter().confine_program() {
            return error.into();
        }
        Failure { step: StartStep::Execute, errno: self.execute() }
    }

    /// Where the helper holds folders of its kernel's open, no link of `/proc` may lead into one (CVE-2024-21626).
    fn enter_folder(&self, families: &Families) -> io::Result<()> {
        match families {
            Families::Subreapers => Ok(chdir(self.folder.as_c_str())?),
            Families::Groups(_) => {
                let root =
                    rustix::fs::open("/", rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC, rustix::fs::Mode::empty())?;
                let path = Path::new(OsStr::from_bytes(self.folder.as_bytes()));
                Ok(rustix::process::fchdir(beneath::folder_in_root(root.as_fd(), path.strip_prefix("/").unwrap_or(path))?)?)
            }
        }
    }

    /// Tries each place in turn, as `execvp(3)` does: one that may not be executed is passed over but remembered.
    fn execute(&self) -> i32 {
        let mut worst = libc::ENOENT;
        for candidate in &self.candidates {
            match errno(&sys::execve(candidate, &self.argv, &self.env)) {
                libc::ENOENT | libc::ENOTDIR => {}
                libc::EACCES => worst = libc::EACCES,
                other => return other,
            }
        }
        worst
    }
}

/// Where a program may be: at its own path when the name has a slash, otherwise in each folder of its own PATH.
fn candidates(name: &CString, env: &[CString]) -> Vec<CString> {
    if name.as_bytes().contains(&b'/') {
        return vec![name.clone()];
    }
    let path = env.iter().rev().find_map(|entry| entry.as_bytes().strip_prefix(b"PATH=")).unwrap_or_default();
    // An empty or relative part would mean the working folder, which the agent's repository fills: left out.
    let folders = path.split(|byte| *byte == b':').filter(|folder| folder.starts_with(b"/"));
    let joined = folders.map(|folder| Path::new(OsStr::from_bytes(folder)).join(OsStr::from_bytes(name.as_bytes())));
    joined.filter_map(|path| CString::new(path.into_os_string().as_bytes()).ok()).collect()
}

fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}

/// A terminal made inside the bottle, on its own devpts (`pty(7)`).
pub struct Terminal {
    /// The caller's side.
    pub caller: OwnedFd,
    /// The program's side.
    pub program: OwnedFd,
}

impl Terminal {
    /// Opens a pair, sets its size and gives it to its user, who may want to open it again by name.
    pub fn open(rows: u16, columns: u16, root: bool, ids: Ids) -> io::Result<Self> {
        use rustix::fs::{Mode, OFlags, open};
        use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, unlockpt};
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let caller = open("/dev/pts/ptmx", flags, Mode::empty())?;
        unlockpt(&caller)?;
        // By descriptor, not by name: nothing in the bottle can put something else in its place.
        let program = match ioctl_tiocgptpeer(&caller, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC) {
            // gVisor's older ones cannot. The name is as good there: nobody but the engine mounts anything over `/dev/pts`.
            Err(rustix::io::Errno::NOTTY) => open(rustix::pty::ptsname(&caller, Vec::new())?, flags, Mode::empty())?,
            program => program?,
        };
        let size = rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(caller.as_fd(), size)?;
        match ids {
            Ids::Mapped => {
                let (user, tty) = (if root { 0 } else { 1000 }, 5);
                rustix::fs::fchown(
                    &program,
                    Some(rustix::process::Uid::from_raw(user)),
                    Some(rustix::process::Gid::from_raw(tty)),
                )?;
            }
            Ids::Single { .. } => {}
        }
        Ok(Self { caller, program })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_entry_never_names_a_program() {
        let env = [c"PATH=/usr/bin::.:bin:/opt/x".to_owned()];
        let found = candidates(&c"git".to_owned(), &env);
        assert_eq!(found, [c"/usr/bin/git".to_owned(), c"/opt/x/git".to_owned()]);
        assert_eq!(candidates(&c"./git".to_owned(), &env), [c"./git".to_owned()]);
        assert!(candidates(&c"git".to_owned(), &[]).is_empty());
    }
}
