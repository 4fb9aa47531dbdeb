//! `/dev`: six harmless devices of the host, a private devpts and shared memory. No disk, no /dev/kvm, no /dev/fuse.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, chmodat, makedev, mknodat};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MoveMountFlags, fsconfig_create, fsconfig_set_string, fsmount, fsopen,
    mount, move_mount,
};

use super::mounts::{self, NO_DEV, NO_EXEC, NO_SUID, READ_ONLY};
use super::rootfs::Layer;
use helper::step::{During, StepError};
use helper::wire::Ids;

/// Name, major and minor number (`Documentation/admin-guide/devices.txt`).
const DEVICES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];
const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// Nodes of the bottle's own, in a tmpfs that is mounted nowhere yet. Only the host's root can make them, before it enters the
/// user namespace. What is locked or watched on them is nobody's but the bottle's.
pub fn own_nodes() -> Result<OwnedFd, StepError> {
    let make = || -> rustix::io::Result<OwnedFd> {
        let tmpfs = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_set_string(&tmpfs, "size", "64k")?;
        fsconfig_create(&tmpfs)?;
        let mounted = fsmount(
            &tmpfs,
            FsMountFlags::FSMOUNT_CLOEXEC,
            MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC,
        )?;
        for (name, major, minor) in DEVICES {
            let mode = Mode::from_raw_mode(0o666);
            mknodat(&mounted, name, FileType::CharacterDevice, mode, makedev(major, minor))?;
            chmodat(&mounted, name, mode, AtFlags::empty())?;
        }
        Ok(mounted)
    };
    make().during("making device nodes")
}

/// Builds `root/dev`. Device nodes cannot be made in a user namespace: they are `own` where the session is root's, otherwise the
/// host's are bound. `layer` gives the folder that becomes `/dev/shm`, so that what is written there counts as disk.
pub fn build(root: &Path, layer: &Layer, own: Option<OwnedFd>, ids: Ids) -> Result<(), StepError> {
    let (dev, shared) = (root.join("dev"), &layer.path("shm"));
    let nodes = match own {
        Some(own) => {
            let place = layer.path("nodes");
            move_mount(&own, c"", CWD, &place, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).during("attaching the device nodes")?;
            place
        }
        None => PathBuf::from("/dev"),
    };
    mounts::tmpfs(&dev, MountFlags::NOEXEC, "mode=755,size=64k,nr_inodes=64")?;
    for (device, ..) in DEVICES {
        let target = dev.join(device);
        fs::File::create(&target).during_with(|| format!("making /dev/{device}"))?;
        // Read-only does not keep a device from being written to, but the host's node from being touched.
        mounts::bind(&nodes.join(device), &target, READ_ONLY | NO_SUID | NO_EXEC)?;
    }
    for (name, target) in LINKS {
        symlink(target, dev.join(name)).during_with(|| format!("making /dev/{name}"))?;
    }
    for folder in ["pts", "shm"] {
        fs::create_dir(dev.join(folder)).during_with(|| format!("making /dev/{folder}"))?;
    }
    // The kernel has some thousands of terminals for all (`pty(7)`, kernel.pty.max): a bottle gets its share. Group 5 (tty) exists
    // only where more than one id is mapped.
    let pts = match ids {
        Ids::Mapped => c"newinstance,ptmxmode=0666,mode=620,max=256,gid=5",
        Ids::Single { .. } => c"newinstance,ptmxmode=0666,mode=620,max=256",
    };
    mount("devpts", dev.join("pts"), "devpts", MountFlags::NOSUID | MountFlags::NOEXEC, Some(pts))
        .during("mounting a private devpts")?;
    let shm = dev.join("shm");
    fs::set_permissions(shared, fs::Permissions::from_mode(0o1777)).during("opening /dev/shm")?;
    mounts::bind(shared, &shm, NO_SUID | NO_DEV)
}
