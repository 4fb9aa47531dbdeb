//! `/dev`: six harmless devices of the host, a private devpts and shared memory. No disk, no /dev/kvm, no /dev/fuse.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use rustix::mount::{MountFlags, mount};

use super::mounts::{self, NO_DEV, NO_EXEC, NO_SUID, READ_ONLY};
use super::step::{During, StepError};
use crate::wire::Ids;

const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// Builds `root/dev`. Device nodes cannot be made in a user namespace, so the host's are bound.
/// `shared` is the folder of the private layer that becomes `/dev/shm`, so that what is written there counts as disk.
pub fn build(root: &Path, shared: &Path, ids: Ids) -> Result<(), StepError> {
    let dev = root.join("dev");
    mounts::tmpfs(&dev, MountFlags::NOEXEC, "mode=755,size=64k,nr_inodes=64")?;
    for device in DEVICES {
        let target = dev.join(device);
        fs::File::create(&target).during_with(|| format!("making /dev/{device}"))?;
        // Read-only does not keep a device from being written to, but the host's node from being touched.
        mounts::bind(&Path::new("/dev").join(device), &target, READ_ONLY | NO_SUID | NO_EXEC)?;
    }
    for (name, target) in LINKS {
        symlink(target, dev.join(name)).during_with(|| format!("making /dev/{name}"))?;
    }
    for folder in ["pts", "shm"] {
        fs::create_dir(dev.join(folder)).during_with(|| format!("making /dev/{folder}"))?;
    }
    // Group 5 (tty) exists only where more than one id is mapped.
    let pts = match ids {
        Ids::Mapped => c"newinstance,ptmxmode=0666,mode=620,gid=5",
        Ids::Single { .. } => c"newinstance,ptmxmode=0666,mode=620",
    };
    mount("devpts", dev.join("pts"), "devpts", MountFlags::NOSUID | MountFlags::NOEXEC, Some(pts))
        .during("mounting a private devpts")?;
    let shm = dev.join("shm");
    fs::set_permissions(shared, fs::Permissions::from_mode(0o1777)).during("opening /dev/shm")?;
    mounts::bind(shared, &shm, NO_SUID | NO_DEV)
}
