//! Version 2: one hierarchy, delegated to the person by systemd or root's own (`cgroups(7)`, "Cgroups delegation").

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bottle::Limits;
use rustix::fs::Access;
use rustix::process::Pid;

use super::{Controller, Groups, PERIOD, quota, set};

const ROOT: &str = "/sys/fs/cgroup";
const HINT: &str = "log in through systemd (a user service with delegated cgroups), run `systemctl edit user@.service` with \
                    `[Service] Delegate=memory pids cpu`, or run as root";

/// The highest folder above this process in which the person may make cgroups and move processes between them.
pub fn delegated() -> Result<PathBuf, String> {
    let root = Path::new(ROOT);
    if !root.join("cgroup.controllers").exists() {
        return Err(format!("this machine has no cgroup version 2 at {ROOT}; limits need that, or root; {HINT}"));
    }
    let own = fs::read_to_string("/proc/self/cgroup").map_err(|error| format!("/proc/self/cgroup: {error}"))?;
    let own = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let candidates = Path::new(own).ancestors().map(|below| root.join(below)).collect::<Vec<_>>();
    let may = |folder: &&PathBuf| {
        let writable = |path: &Path| rustix::fs::access(path, Access::WRITE_OK).is_ok();
        writable(folder) && writable(&folder.join("cgroup.procs")) && has_some(folder)
    };
    let found = candidates.iter().rev().find(may).cloned();
    found.ok_or_else(|| format!("no cgroup above this process is delegated to you; {HINT}"))
}

/// Whether children of `folder` get a controller.
pub fn has(folder: &Path, controller: Controller) -> Result<(), String> {
    let name = name(controller);
    let enabled = fs::read_to_string(folder.join("cgroup.subtree_control")).unwrap_or_default();
    if enabled.split_whitespace().any(|word| word == name) {
        return Ok(());
    }
    // Root may still enable it.
    match set(folder, "cgroup.subtree_control", &format!("+{name}")) {
        Ok(()) => Ok(()),
        Err(error) => Err(format!("the cgroup controller {name} is not delegated ({error}); {HINT}")),
    }
}

/// Makes one cgroup with all limits.
pub fn enter(folder: &Path, limits: &Limits, helper: Pid, groups: &mut Groups) -> io::Result<()> {
    groups.make(folder)?;
    if let Some(memory) = limits.memory {
        set(folder, "memory.max", &memory.to_string())?;
        // Swap would let the bottle have more than it was given; a kernel without swap has no such file.
        if folder.join("memory.swap.max").exists() {
            set(folder, "memory.swap.max", "0")?;
        }
    }
    if let Some(cpus) = limits.cpus {
        set(folder, "cpu.max", &format!("{} {PERIOD}", quota(cpus)))?;
    }
    if let Some(pids) = limits.pids {
        set(folder, "pids.max", &pids.to_string())?;
    }
    set(folder, "cgroup.procs", &helper.as_raw_nonzero().to_string())
}

fn has_some(folder: &Path) -> bool {
    let enabled = fs::read_to_string(folder.join("cgroup.subtree_control")).unwrap_or_default();
    let available = fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default();
    [enabled, available].iter().any(|words| words.contains("memory") || words.contains("pids"))
}

fn name(controller: Controller) -> &'static str {
    match controller {
        Controller::Memory => "memory",
        Controller::Cpu => "cpu",
        Controller::Pids => "pids",
    }
}
