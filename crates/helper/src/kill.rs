//! Killing everything that a program has started, daemons too.
//!
//! Each program is watched by a process of the helper that is a *child subreaper* (`PR_SET_CHILD_SUBREAPER`): whatever the
//! program starts stays below it, however often it forks and starts new sessions. Killing walks that tree until it is empty.

use std::collections::HashMap;
use std::fs;
use std::io;

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, wait};

/// Kills every descendant of this process and reaps them. Gives the status of `main` when it was among them.
pub fn descendants(main: Pid) -> io::Result<Option<rustix::process::WaitStatus>> {
    let mut ended = None;
    loop {
        let below = below(getpid())?;
        // Stopped processes cannot fork away while the others are being killed.
        for signal in [Signal::STOP, Signal::KILL] {
            for pid in &below {
                let _ = kill_process(*pid, signal);
            }
        }
        // All that have died by now before the next walk: a tree of thousands takes a few walks, not one for each.
        let mut options = WaitOptions::empty();
        loop {
            match wait(options) {
                Ok(Some((pid, status))) => {
                    if pid == main {
                        ended = Some(status);
                    }
                    options = WaitOptions::NOHANG;
                }
                Ok(None) => break,
                Err(rustix::io::Errno::CHILD) => return Ok(ended),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
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
