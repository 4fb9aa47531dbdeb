//! `/proc`: a fresh one that knows only the bottle's processes, with the host-wide files hidden or read-only.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::mount::{MountFlags, mount, mount_bind, mount_remount};

use super::mounts::{self, NO_DEV, NO_EXEC, NO_SUID, READ_ONLY};
use super::rootfs::Layer;
use helper::step::{During, StepError};

/// What tells of the host's kernel, memory, disks or hardware: an empty file or folder stands there instead. More than
/// Docker masks (`moby/profiles`, masked paths), because nothing that an agent runs needs any of it.
const HIDDEN: [&str; 29] = [
    "acpi",
    "asound",
    "cmdline",
    "config.gz",
    "diskstats",
    "driver",
    "interrupts",
    "iomem",
    "ioports",
    "kallsyms",
    "kcore",
    "keys",
    "key-users",
    "kmsg",
    "kpagecgroup",
    "kpagecount",
    "kpageflags",
    "latency_stats",
    "modules",
    "partitions",
    "sched_debug",
    "scsi",
    "slabinfo",
    "softirqs",
    "swaps",
    "timer_list",
    "timer_stats",
    "vmallocinfo",
    "zoneinfo",
];
/// What could change the host's kernel: read-only on top of the kernel's own checks (core_pattern, binfmt_misc, sysrq).
const READ_ONLY_PATHS: [&str; 5] = ["bus", "fs", "irq", "sys", "sysrq-trigger"];

/// Mounts and masks `root/proc`. Must run while the host's own /proc is still visible: the kernel refuses a fresh one to a
/// user namespace that cannot see a whole one (`mount_too_revealing`, fs/namespace.c).
///
/// Masked files and folders show an empty one of the bottle's own layer: a device of the host could be locked and watched through them.
pub fn build(root: &Path, layer: &Layer) -> Result<(), StepError> {
    let (proc, empty) = (root.join("proc"), layer.path("hidden"));
    mount("proc", &proc, "proc", MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC, None)
        .during("mounting a private /proc")?;
    for file in HIDDEN.map(|name| proc.join(name)) {
        let Ok(metadata) = std::fs::symlink_metadata(&file) else { continue };
        // What is for the host's root alone is closed to everybody here: that id does not exist in the bottle. A mount less
        // is a bottle sooner.
        if metadata.mode() & 0o044 == 0 {
            continue;
        }
        let masked = if metadata.is_dir() { &layer.path("empty") } else { &empty };
        mounts::bind(masked, &file, READ_ONLY | NO_SUID | NO_DEV | NO_EXEC)?;
    }
    Ok(())
}

/// Makes the dangerous parts read-only. After the helper's own last write to /proc/sys.
pub fn seal() -> Result<(), StepError> {
    for path in READ_ONLY_PATHS.iter().map(|name| Path::new("/proc").join(name)) {
        if path.exists() {
            // By the old calls: the new ones make a mount namespace in passing, and no more of those may be made by now.
            let flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
            let sealed = mount_bind(&path, &path).and_then(|()| mount_remount(&path, flags, c""));
            sealed.during_with(|| format!("making {} read-only", path.display()))?;
        }
    }
    Ok(())
}
