//! Version 1: a hierarchy for each controller, which only root may use safely.

use std::io;
use std::path::{Path, PathBuf};

use bottle::Limits;
use rustix::fs::Access;
use rustix::process::{Pid, getuid};

use super::{Controller, Groups, PERIOD, quota, set};

/// Where each controller is mounted, as far as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roots {
    memory: Option<PathBuf>,
    cpu: Option<PathBuf>,
    pids: Option<PathBuf>,
}

/// The controllers' usual places; `None` when there are none or the person is not root.
pub fn roots() -> Option<Roots> {
    let find = |name: &str, file: &str| {
        let folder = Path::new("/sys/fs/cgroup").join(name);
        (folder.join(file).exists() && rustix::fs::access(&folder, Access::WRITE_OK).is_ok()).then_some(folder)
    };
    let roots = Roots {
        memory: find("memory", "memory.usage_in_bytes"),
        cpu: find("cpu", "cpu.shares"),
        pids: find("pids", "cgroup.procs"),
    };
    (getuid().is_root() && !roots.folders().is_empty()).then_some(roots)
}

impl Roots {
    /// The mounted ones.
    pub fn folders(&self) -> Vec<&Path> {
        [&self.memory, &self.cpu, &self.pids].into_iter().filter_map(Option::as_deref).collect()
    }

    /// Whether a controller is mounted.
    pub fn has(&self, controller: Controller) -> Result<(), String> {
        let (folder, name) = match controller {
            Controller::Memory => (&self.memory, "memory"),
            Controller::Cpu => (&self.cpu, "cpu"),
            Controller::Pids => (&self.pids, "pids"),
        };
        let missing = || format!("the cgroup controller {name} is not mounted; mount it at /sys/fs/cgroup/{name}");
        folder.as_ref().map(drop).ok_or_else(missing)
    }

    /// Makes a cgroup in each hierarchy that a limit needs.
    pub fn enter(&self, name: &str, limits: &Limits, helper: Pid, groups: &mut Groups) -> io::Result<()> {
        let place = |root: &Option<PathBuf>| root.as_ref().map(|root| root.join(name)).ok_or(io::ErrorKind::NotFound);
        let mut made = Vec::new();
        if let Some(memory) = limits.memory {
            let folder = place(&self.memory)?;
            groups.make(&folder)?;
            set(&folder, "memory.limit_in_bytes", &memory.to_string())?;
            if folder.join("memory.memsw.limit_in_bytes").exists() {
                set(&folder, "memory.memsw.limit_in_bytes", &memory.to_string())?;
            }
            // What lies unread in TCP's buffers is counted apart (kernel doc admin-guide/cgroup-v1/memory.rst, 2.7.3).
            if folder.join("memory.kmem.tcp.limit_in_bytes").exists() {
                set(&folder, "memory.kmem.tcp.limit_in_bytes", &memory.to_string())?;
            }
            made.push(folder);
        }
        if let Some(cpus) = limits.cpus {
            let folder = place(&self.cpu)?;
            groups.make(&folder)?;
            set(&folder, "cpu.cfs_period_us", &PERIOD.to_string())?;
            set(&folder, "cpu.cfs_quota_us", &quota(cpus).to_string())?;
            made.push(folder);
        }
        if let Some(pids) = limits.pids {
            let folder = place(&self.pids)?;
            groups.make(&folder)?;
            set(&folder, "pids.max", &pids.to_string())?;
            made.push(folder);
        }
        made.iter().try_for_each(|folder| set(folder, "cgroup.procs", &helper.as_raw_nonzero().to_string()))
    }
}
