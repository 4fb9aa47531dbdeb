//! What is mounted where on the host, as this process sees it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::system_folders::SYSTEM;

/// File systems that hold programs. What else is mounted below a system folder (a chroot's /proc, an automounter, somebody's
/// FUSE) is left out.
const DISKS: [&str; 17] = [
    "9p", "bcachefs", "btrfs", "drvfs", "erofs", "ext2", "ext3", "ext4", "f2fs", "nfs", "nfs4", "overlay", "squashfs", "tmpfs",
    "virtiofs", "xfs", "zfs",
];

/// The mount table of this process (`proc_pid_mountinfo(5)`), in the order of mounting.
#[derive(Debug)]
pub struct MountTable(Vec<Mounted>);

/// One line of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Mounted {
    /// Where.
    pub at: PathBuf,
    /// The folder of its file system that is mounted.
    part: PathBuf,
    /// Which file system: `major:minor`.
    device: String,
    kind: String,
    /// The subvolume it is, or is in (Btrfs).
    subvolume: Option<PathBuf>,
}

impl MountTable {
    /// Reads it.
    pub fn read() -> io::Result<Self> {
        fs::read_to_string("/proc/self/mountinfo").map(|text| Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        Self(text.lines().filter_map(Mounted::parse).collect())
    }

    /// What is mounted below a folder.
    pub fn below<'a>(&'a self, folder: &'a Path) -> impl Iterator<Item = &'a Mounted> {
        self.0.iter().filter(move |mount| mount.at != folder && mount.at.starts_with(folder))
    }

    /// Whether anything is.
    pub fn is_mounted_below(&self, folder: &Path) -> bool {
        self.below(folder).next().is_some()
    }

    /// Whether what stands at `path` is for a bottle to see: it is no mount, or one that holds programs.
    pub fn shows(&self, path: &Path) -> bool {
        self.0.iter().rev().find(|mount| mount.at == path).is_none_or(|mount| self.holds_programs(mount))
    }

    /// A file system of its own, or a folder that was bound onto itself, as NixOS and Guix do with their stores to make them
    /// read-only. Not some folder of another place that was bound here: somebody's home, for instance.
    pub fn holds_programs(&self, mount: &Mounted) -> bool {
        DISKS.contains(&mount.kind.as_str()) && (self.is_whole(mount) || self.is_bound_onto_itself(mount))
    }

    /// Btrfs mounts a subvolume as a folder of its one file system, and just so looks a bind of any folder, somebody's home for
    /// instance. Such a home may be a subvolume too: what can be seen outside of the system's folders as well is taken for bound.
    fn is_whole(&self, mount: &Mounted) -> bool {
        match &mount.subvolume {
            Some(subvolume) => *subvolume == mount.part && !self.0.iter().any(|other| other.shows_elsewhere(mount)),
            None => mount.kind != "btrfs" && mount.part == Path::new("/"),
        }
    }

    fn is_bound_onto_itself(&self, mount: &Mounted) -> bool {
        let around = self.0.iter().filter(|around| around.at != mount.at && mount.at.starts_with(&around.at));
        // The last of those nearest to it is what one would see without it.
        let around = around.max_by_key(|around| around.at.components().count());
        around.is_some_and(|around| {
            let below = mount.at.strip_prefix(&around.at).unwrap_or(Path::new(""));
            around.device == mount.device && around.part.join(below) == mount.part
        })
    }
}

impl Mounted {
    fn parse(line: &str) -> Option<Self> {
        let (front, back) = line.split_once(" - ")?;
        let mut front = front.split(' ').skip(2);
        let device = front.next()?.to_owned();
        let (part, at) = (unescape(front.next()?), unescape(front.next()?));
        let mut back = back.split(' ');
        let kind = back.next()?.to_owned();
        let options = back.nth(1).filter(|_| kind == "btrfs").unwrap_or_default();
        let subvolume = subvolume(options);
        Some(Self { at, part, device, kind, subvolume })
    }

    /// Whether what is mounted there can be seen here too, outside of the system's folders. The top of a file system that is
    /// mounted beside (for backups, often) shows every subvolume, and that says nothing.
    fn shows_elsewhere(&self, mount: &Self) -> bool {
        let is_system = SYSTEM.iter().any(|name| self.at.starts_with(Path::new("/").join(name)));
        let is_top_beside = self.part == Path::new("/") && self.at != Path::new("/");
        let shows = self.part == mount.part || (mount.part.starts_with(&self.part) && !is_top_beside);
        self.device == mount.device && shows && !is_system
    }
}

/// The subvolume among the options of a Btrfs file system, which show it last (`btrfs_show_options`): its name may hold commas.
fn subvolume(options: &str) -> Option<PathBuf> {
    options.split_once(",subvol=").map(|(_, name)| unescape(name))
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
    fn only_whole_file_systems_and_folders_bound_onto_themselves_hold_programs() {
        let table = |part: &str, kind: &str, device: &str| {
            MountTable::parse(&format!(
                "1 0 98:0 / / rw - ext4 /dev/root rw\n2 1 98:0 /nix /mnt rw - ext4 /dev/root rw\n\
                 36 35 {device} {part} /opt/x rw,noatime master:1 - {kind} /dev/root rw"
            ))
        };
        let shows = |part, kind, device| table(part, kind, device).shows(Path::new("/opt/x"));
        assert!(shows("/", "ext4", "7:1"));
        assert!(!shows("/home", "ext4", "98:0") && !shows("/", "proc", "0:4") && !shows("/", "fuse.sshfs", "0:5"));
        assert!(shows("/opt/x", "ext4", "98:0"), "itself");
        assert!(!shows("/opt/x", "ext4", "7:1"), "the same path on another disk");
        let nested = MountTable::parse(
            "1 0 98:0 / / rw - ext4 a rw\n2 1 7:1 / /nix rw - xfs b rw\n3 2 7:1 /store /nix/store ro - xfs b rw\n\
             4 3 7:1 /store/x /nix/store/y ro - xfs b rw",
        );
        assert!(nested.shows(Path::new("/nix/store")) && !nested.shows(Path::new("/nix/store/y")));
        assert!(nested.shows(Path::new("/usr")), "no mount");
        assert!(nested.is_mounted_below(Path::new("/nix")) && !nested.is_mounted_below(Path::new("/nix/store/y")));
    }

    #[test]
    fn of_btrfs_only_subvolumes_that_are_nowhere_else_hold_programs() {
        let shows = |part: &str, subvolume: &str| {
            let options = |name: &str| format!("rw,ssd,space_cache=v2,subvolid=256,subvol={name}");
            let table = MountTable::parse(&format!(
                "1 0 0:30 /@ / rw - btrfs /dev/sda2 {}\n2 1 0:30 /@home /home rw - btrfs /dev/sda2 {}\n\
                 3 1 0:31 /@local /mnt rw - btrfs /dev/sdb1 {}\n9 1 0:30 / /pool rw - btrfs /dev/sda2 {}\n\
                 4 1 0:30 {part} /opt/x rw,noatime shared:7 - btrfs /dev/sda2 {subvolume}",
                options("/@"),
                options("/@home"),
                options("/@local"),
                options("/"),
                subvolume = if subvolume.is_empty() { "rw,ssd".to_owned() } else { options(subvolume) },
            ));
            table.shows(Path::new("/opt/x"))
        };
        assert!(shows("/@local", "/@local"), "mounted elsewhere is that of another disk");
        assert!(shows(r"/my\040sub,subvol=x", r"/my\040sub,subvol=x"), "a name with a space and a comma");
        assert!(!shows("/@home/ann", "/@home"), "a bind of a folder");
        assert!(!shows("/@home", "/@home"), "a bind of a subvolume that is mounted outside of the system's folders");
        assert!(!shows("/@home/ann", "/@home/ann"), "a bind of a home that is a subvolume of its own");
        assert!(!shows("/@", "/@"), "a bind of the root");
        assert!(!shows("/home/ann", "/") && !shows("/", "/"), "the top, which is mounted beside");
        assert!(shows("/@/opt/x", "/@"), "bound onto itself");
        assert!(!shows("/@local", "") && !shows("/", ""), "without a name");
        let top = "1 0 0:30 / / rw - btrfs a rw,subvol=/\n2 1 0:30 /home/ann /opt/x rw - btrfs a rw,subvol=/home/ann";
        assert!(!MountTable::parse(top).shows(Path::new("/opt/x")), "a home that is a subvolume, where the top is the root");
        let twice = "1 0 0:30 /@ / rw - btrfs a rw,subvol=/@\n2 1 0:30 /@nix /nix rw - btrfs a rw,subvol=/@nix\n\
                     3 2 0:30 /@nix /nix/store ro - btrfs a rw,subvol=/@nix";
        assert!(MountTable::parse(twice).shows(Path::new("/nix")), "both are system folders");
    }
}
