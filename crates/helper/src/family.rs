//! Everything that a program has started, daemons too: how it is told apart, and killed.
//!
//! Each program is watched by a process of the helper that is a *child subreaper* (`PR_SET_CHILD_SUBREAPER`): whatever the
//! program starts stays below it, however often it forks and starts new sessions. A kernel without subreapers gets a control group
//! for each program instead (`groups.rs`).

use std::collections::HashMap;
use std::fs;
use std::io;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, set_child_subreaper, wait, waitpid};

use crate::groups::{Group, Groups};
use crate::step::StepError;

/// Pause between two looks at a group whose processes have been killed but not yet gone.
const BREATH: Duration = Duration::from_millis(1);

/// How this kernel tells the programs of a bottle apart.
pub enum Families {
    /// By the process that watches, which is above all of them.
    Subreapers,
    /// By a control group of each.
    Groups(Groups),
}

impl Families {
    /// For a bottle whose kernel is its own. `processes` is how many there may be, which nobody outside can count.
    ///
    /// # Errors
    /// When there is a limit that this kernel cannot hold.
    pub fn of_an_own_kernel(processes: Option<u64>) -> Result<Self, StepError> {
        match (Groups::open(processes), processes) {
            (Ok(groups), _) => Ok(Self::Groups(groups)),
            // One that has no such groups has subreapers. It cannot be asked here: PID 1 is always told that it is one.
            (Err(_), None) => Ok(Self::Subreapers),
            (Err(error), Some(_)) => Err(error),
        }
    }

    /// Takes anything but programs of their own out of the way of the calling process, which watches over one.
    ///
    /// # Errors
    /// When it cannot be told apart from others.
    pub fn begin(&self) -> io::Result<Family> {
        match self {
            Self::Subreapers => {
                // Any number but 0 switches it on (`PR_SET_CHILD_SUBREAPER(2const)`); gVisor insists on 1.
                set_child_subreaper(Some(Pid::INIT))?;
                Ok(Family::BelowWatcher)
            }
            Self::Groups(groups) => groups.make().map(Family::InGroup),
        }
    }
}

/// A program and everything it has started.
pub enum Family {
    /// Every process below the one that watches.
    BelowWatcher,
    /// Every process in a group.
    InGroup(Group),
}

impl Family {
    /// The calling process, fresh from fork, becomes the first member.
    ///
    /// # Errors
    /// When the kernel does not let it.
    pub fn join(&self) -> io::Result<()> {
        match self {
            Self::BelowWatcher => Ok(()),
            Self::InGroup(group) => group.join(),
        }
    }

    /// Kills all of it and waits until it is gone. Gives the status of `main`, the program itself, unless it was reaped before.
    ///
    /// # Errors
    /// When the kernel does not tell who they are.
    pub fn kill(&self, main: Pid) -> io::Result<Option<WaitStatus>> {
        match self {
            Self::BelowWatcher => kill_below(main),
            Self::InGroup(group) => kill_group(group, main),
        }
    }
}

/// Stopped processes cannot fork away while the others are being killed.
fn strike(processes: &[Pid]) {
    for signal in [Signal::STOP, Signal::KILL] {
        for pid in processes {
            let _ = kill_process(*pid, signal);
        }
    }
}

fn kill_below(main: Pid) -> io::Result<Option<WaitStatus>> {
    let mut ended = None;
    loop {
        strike(&below(getpid())?);
        // All that have died by now before the next walk: a tree of thousands takes a few walks, not one for each.
        let mut options = WaitOptions::empty();
        loop {
            match wait(options) {
                Ok(Some((pid, status))) => {
                    // One that has made us its tracer may have stopped; it is killed all the same.
                    if pid == main && !status.stopped() {
                        ended = Some(status);
                    }
                    options = WaitOptions::NOHANG;
                }
                Ok(None) => break,
                Err(Errno::CHILD) => return Ok(ended),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Its orphans are children of PID 1, which reaps them.
fn kill_group(group: &Group, main: Pid) -> io::Result<Option<WaitStatus>> {
    let (mut ended, mut reaped) = (None, false);
    loop {
        let mut members = group.members()?;
        // It may not have come as far as to join.
        if !reaped && !members.contains(&main) {
            members.push(main);
        }
        if members.is_empty() {
            return Ok(ended);
        }
        strike(&members);
        match waitpid(Some(main), WaitOptions::NOHANG) {
            Ok(Some((_, status))) if !status.stopped() => (ended, reaped) = (Some(status), true),
            Ok(_) | Err(Errno::INTR) => {}
            Err(Errno::CHILD) => reaped = true,
            Err(error) => return Err(error.into()),
        }
        std::thread::sleep(BREATH);
    }
}

/// All processes below `root`, from one walk over `/proc/*/stat` (`proc_pid_stat(5)`).
fn below(root: Pid) -> io::Result<Vec<Pid>> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let Ok(stat) = fs::read(entry.path().join("stat")) else { continue };
        if let Some(parent) = parent_of(&stat) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = Vec::new();
    let mut open = vec![root.as_raw_nonzero().get()];
    while let Some(pid) = open.pop() {
        for child in children.remove(&pid).unwrap_or_default() {
            open.push(child);
            found.extend(Pid::from_raw(child));
        }
    }
    Ok(found)
}

/// The fourth field of a stat line. The second, the program's name, may hold anything, a closing parenthesis too: the last
/// one ends it.
fn parent_of(stat: &[u8]) -> Option<i32> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
    rest.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parent_of;

    #[test]
    fn a_hostile_program_name_does_not_hide_the_parent() {
        assert_eq!(parent_of(b"7 (sh) S 1 7 7 0"), Some(1));
        assert_eq!(parent_of(b"7 () S 99 1) R 42 7 7 0"), Some(42));
        assert_eq!(parent_of(b"7 (cut"), None);
    }
}
