//! The host's system folders below private layers, whatever is mounted in them.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::mount::MountFlags;

use super::mounts::{self, NO_DEV, NO_SUID, READ_ONLY};
use super::rootfs::Layer;
use helper::step::{During, StepError};

/// The host's folders that make the bottle's system. Some are links to others on most distributions.
const SYSTEM: [&str; 10] = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "opt", "nix", "gnu"];
/// File systems that hold programs. What else is mounted below a system folder (a chroot's /proc, an automounter, somebody's
/// FUSE) is left out.
const DISKS: [&str; 17] = [
    "9p", "bcachefs", "btrfs", "drvfs", "erofs", "ext2", "ext3", "ext4", "f2fs", "nfs", "nfs4", "overlay", "squashfs", "tmpfs",
    "virtiofs", "xfs", "zfs",
];
/// A folder with something mounted below it is taken apart, entry by entry, when it has no more than these.
const FEW: usize = 64;

/// Builds the system folders below `root`. Gives remarks for the person.
pub fn build(layer: &Layer, root: &Path) -> Result<Vec<String>, StepError> {
    let mut system = System { layer, root, mounts: Mounted::all()?, remarks: Vec::new() };
    for name in SYSTEM {
        system.cover(&Path::new("/").join(name))?;
    }
    Ok(system.remarks)
}

/// Whether anything is mounted below this folder of the host.
pub fn is_mounted_below(host: &Path) -> Result<bool, StepError> {
    Ok(Mounted::all()?.iter().any(|mount| mount.is_below(host)))
}

struct System<'a> {
    layer: &'a Layer,
    root: &'a Path,
    mounts: Vec<Mounted>,
    remarks: Vec<String>,
}

impl System<'_> {
    /// Shows one host path at the same place.
    fn cover(&mut self, host: &Path) -> Result<(), StepError> {
        let place = self.root.join(host.strip_prefix("/").unwrap_or(host));
        let Ok(metadata) = fs::symlink_metadata(host) else { return Ok(()) };
        let step = || format!("showing {}", host.display());
        if metadata.is_symlink() {
            let target = fs::read_link(host).during_with(step)?;
            return symlink(target, &place).during_with(step);
        }
        if metadata.is_file() {
            fs::File::create(&place).during_with(step)?;
            return mounts::bind(host, &place, READ_ONLY | NO_SUID | NO_DEV);
        }
        if !metadata.is_dir() {
            return Ok(());
        }
        fs::create_dir(&place).during_with(step)?;
        if self.mounts.iter().rev().find(|mount| mount.at == host).is_some_and(|mount| !mount.holds_programs()) {
            return Ok(());
        }
        // An overlay shows nothing that is mounted below its lower folder, and the kernel refuses one over a folder in which
        // something is mounted that this namespace may not unmount.
        if !self.mounts.iter().any(|mount| mount.is_below(host)) {
            return self.layer.overlay(&name_of(host), host, &place);
        }
        let entries: Vec<_> = fs::read_dir(host).during_with(step)?.flatten().map(|entry| entry.path()).collect();
        if entries.len() > FEW {
            return self.bind(host, &place);
        }
        entries.iter().try_for_each(|entry| self.cover(entry))
    }

    /// A large folder with mounts in it: read-only as a whole, nothing can be installed there.
    fn bind(&mut self, host: &Path, place: &Path) -> Result<(), StepError> {
        mounts::bind(host, place, READ_ONLY | NO_SUID | NO_DEV)?;
        for mount in self.mounts.iter().filter(|mount| mount.is_below(host) && !mount.holds_programs()) {
            let below = self.root.join(mount.at.strip_prefix("/").unwrap_or(&mount.at));
            if below.is_dir() {
                mounts::tmpfs(&below, MountFlags::RDONLY, "mode=555,size=4k,nr_inodes=2")?;
            }
        }
        self.remarks
            .push(format!("{} is read-only in the bottle, because other file systems are mounted below it", host.display()));
        Ok(())
    }
}

/// The folders of one layer need names of their own: `usr`, `usr-local`.
fn name_of(host: &Path) -> String {
    host.strip_prefix("/").unwrap_or(host).to_string_lossy().replace('/', "-")
}

/// One line of the mount table (`proc_pid_mountinfo(5)`).
#[derive(Debug, PartialEq, Eq)]
struct Mounted {
    at: PathBuf,
    /// The folder of its file system that is mounted.
    part: PathBuf,
    kind: String,
}

impl Mounted {
    fn all() -> Result<Vec<Self>, StepError> {
        let table = fs::read_to_string("/proc/self/mountinfo").during("reading /proc/self/mountinfo")?;
        Ok(table.lines().filter_map(Self::parse).collect())
    }

    fn is_below(&self, folder: &Path) -> bool {
        self.at != folder && self.at.starts_with(folder)
    }

    fn parse(line: &str) -> Option<Self> {
        let (front, back) = line.split_once(" - ")?;
        let mut front = front.split(' ').skip(3);
        let (part, at) = (unescape(front.next()?), unescape(front.next()?));
        Some(Self { at, part, kind: back.split(' ').next()?.to_owned() })
    }

    /// A file system of its own, not some folder of another one that was bound here (somebody's home, for instance). Btrfs
    /// mounts its subvolumes that way.
    fn holds_programs(&self) -> bool {
        DISKS.contains(&self.kind.as_str()) && (self.part == Path::new("/") || self.kind == "btrfs")
    }
}

/// Undoes the octal escapes of mountinfo (`\040` for a space).
fn unescape(field: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let [first, tail @ ..] = rest {
        let octal = (*first == b'\\').then(|| tail.get(..3)).flatten();
        let number =
            octal.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(number.unwrap_or(*first));
        rest = if number.is_some() { tail.get(3..).unwrap_or_default() } else { tail };
    }
    PathBuf::from(OsStr::from_bytes(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mountinfo_escapes_are_undone() {
        assert_eq!(unescape(r"/usr/local/my\040disk\134x"), PathBuf::from("/usr/local/my disk\\x"));
        assert_eq!(unescape(r"/usr/odd\9"), PathBuf::from(r"/usr/odd\9"));
    }

    #[test]
    fn only_whole_file_systems_hold_programs() {
        let mount = |part: &str, kind: &str| {
            Mounted::parse(&format!("36 35 98:0 {part} /opt/x rw,noatime master:1 - {kind} /dev/root rw"))
                .unwrap()
                .holds_programs()
        };
        assert!(mount("/", "ext4") && mount("/@local", "btrfs"));
        assert!(!mount("/home", "ext4") && !mount("/", "proc") && !mount("/", "fuse.sshfs"));
    }
}
