//! `/proc`: a fresh one that knows only the bottle's processes, with the host-wide files hidden or read-only.

use std::path::Path;

use rustix::mount::{MountFlags, mount};

use super::mounts::{self, NO_DEV, NO_EXEC, NO_SUID, READ_ONLY};
use super::step::{During, StepError};

/// Files that tell of the host's kernel or memory: /dev/null stands there instead. Docker masks the same
/// (`moby/profiles`, masked paths).
const HIDDEN_FILES: [&str; 10] = [
    "kcore", "keys", "latency_stats", "timer_list", "timer_stats", "sched_debug", "kmsg", "kallsyms", "config.gz", "kpagecount",
];
/// Folders that tell of the host's hardware: an empty folder stands there.
const HIDDEN_FOLDERS: [&str; 5] = ["acpi", "asound", "scsi", "interrupts", "driver"];
/// What could change the host's kernel: read-only on top of the kernel's own checks (core_pattern, binfmt_misc, sysrq).
const READ_ONLY_PATHS: [&str; 5] = ["bus", "fs", "irq", "sys", "sysrq-trigger"];

/// Mounts and masks `root/proc`. Must run while the host's own /proc is still visible: the kernel refuses a fresh one to a
/// user namespace that cannot see a whole one (`mount_too_revealing`, fs/namespace.c).
pub fn build(root: &Path) -> Result<(), StepError> {
    let proc = root.join("proc");
    mount("proc", &proc, "proc", MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC, None)
        .during("mounting a private /proc")?;
    for file in HIDDEN_FILES.iter().chain(&HIDDEN_FOLDERS).map(|name| proc.join(name)) {
        let Ok(metadata) = std::fs::symlink_metadata(&file) else { continue };
        if metadata.is_dir() {
            mounts::tmpfs(&file, MountFlags::RDONLY | MountFlags::NOEXEC, "mode=555,size=4k,nr_inodes=2")?;
        } else {
            mounts::bind(Path::new("/dev/null"), &file, READ_ONLY | NO_SUID | NO_EXEC)?;
        }
    }
    Ok(())
}

/// Makes the dangerous parts read-only. After the helper's own last write to /proc/sys.
pub fn seal() -> Result<(), StepError> {
    for path in READ_ONLY_PATHS.iter().map(|name| Path::new("/proc").join(name)) {
        if path.exists() {
            mounts::bind(&path, &path, READ_ONLY | NO_SUID | NO_DEV | NO_EXEC)?;
        }
    }
    Ok(())
}
