//! The root file system: the host's system folders read-only below a private layer in memory, and nothing else of the host.
//!
//! Everything private lives in one tmpfs, the *layer*: it ends with the mount namespace, however the bottle ends, and its
//! size is the bottle's disk limit. The finished root is pivoted into and the host's tree detached (`pivot_root(2)`).

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open};
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount_bind, mount_change, unmount};
use rustix::process::{Gid, Uid, chdir, pivot_root};

use super::step::{During, StepError};
use super::{dev, etc, mounts, proc, skeleton, tools};
use crate::wire::{Ids, Setup};

/// The host's folders that make the bottle's system. Some are links to others on most distributions.
const SYSTEM: [&str; 10] = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "opt", "nix", "gnu"];
/// Where the layer is mounted while it is being built. The host's own folder is covered in this namespace alone.
const LAYER: &str = "/tmp";
/// What an image's layer is called.
const IMAGE: &str = "image";
/// Files that a bottle may have however small its disk limit is: what the helper itself makes, and some more.
const SPARE_FILES: u64 = 4096;
/// Folders that every bottle has, with their permission bits.
const FOLDERS: [(&str, u32); 22] = [
    ("dev", 0o755), ("etc", 0o755), ("home", 0o755), ("home/node", 0o700), ("mnt", 0o755), ("opt", 0o755), ("proc", 0o555),
    ("root", 0o700), ("run", 0o755), ("run/lock", 0o1777), ("srv", 0o755), ("sys", 0o555), ("tmp", 0o1777), ("usr", 0o755),
    ("var", 0o755), ("var/cache", 0o755), ("var/lib", 0o755), ("var/log", 0o755), ("var/opt", 0o755), ("var/spool", 0o755),
    ("var/tmp", 0o1777), ("var/local", 0o755),
];

/// Host paths that must be opened before the helper gives up the person's id.
pub struct Sources {
    image: Option<OwnedFd>,
    tools: Vec<tools::Source>,
}

impl Sources {
    /// Opens what the set-up names.
    pub fn open(setup: &Setup) -> Result<Self, StepError> {
        mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).during("leaving the host's mounts")?;
        let image = match &setup.image {
            None => None,
            Some(path) => {
                let path = Path::new(std::ffi::OsStr::from_bytes(path));
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
                Some(open(path, flags, Mode::empty()).during_with(|| format!("opening the image folder {}", path.display()))?)
            }
        };
        let tools = setup.tools.iter().map(|path| tools::Source::open(path)).collect::<Result<_, _>>()?;
        Ok(Self { image, tools })
    }
}

/// Builds the root and moves into it.
pub fn build(setup: &Setup, sources: Sources) -> Result<(), StepError> {
    let layer = Layer::mount(setup.disk)?;
    let root = layer.path("root");
    match &sources.image {
        None => {
            mount_bind(&root, &root).during("making the root a mount")?;
            system_folders(&layer, &root)?;
            folders(&root)?;
            etc::from_host(&layer, &root)?;
        }
        Some(image) => {
            let lower = PathBuf::from(format!("/proc/self/fd/{}", image.as_raw_fd()));
            layer.overlay(IMAGE, &lower, &root)?;
            folders(&root)?;
        }
    }
    etc::own(&root, &setup.name)?;
    give_to_node(&root.join("home/node"), setup.ids)?;
    for tool in sources.tools {
        tool.attach(&root, &layer.path("empty"), setup.ids)?;
    }
    dev::build(&root, &layer.path("shm"), setup.ids)?;
    proc::build(&root)?;
    pivot(&root)
}

/// The private tmpfs.
pub struct Layer {
    path: PathBuf,
}

impl Layer {
    fn mount(size: Option<u64>) -> Result<Self, StepError> {
        let path = PathBuf::from(LAYER);
        // An empty file takes no space, but about 1 KiB of the kernel's memory: as much again as the limit at most.
        let size = size.map_or_else(|| "size=50%".to_owned(), |bytes| format!("size={bytes},nr_inodes={}", bytes / 1024 + SPARE_FILES));
        mounts::tmpfs(&path, MountFlags::empty(), &format!("mode=755,{size}"))?;
        let layer = Self { path };
        for folder in ["root", "upper", "work", "shm", "empty"] {
            fs::create_dir(layer.path(folder)).during_with(|| format!("preparing the private layer ({folder})"))?;
        }
        Ok(layer)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Lays a private folder over `lower` at `target`. `name` is unique in the layer and picks the writable folders.
    pub fn overlay(&self, name: &str, lower: &Path, target: &Path) -> Result<(), StepError> {
        let (upper, work) = (self.path("upper").join(name), self.path("work").join(name));
        for folder in [&upper, &work] {
            fs::create_dir(folder).during_with(|| format!("preparing the private layer ({name})"))?;
        }
        if name == IMAGE {
            skeleton::of_image(FOLDERS.iter().map(|(folder, _)| *folder), lower, &upper)?;
        } else {
            skeleton::make(name, lower, &upper)?;
        }
        mounts::overlay(lower, &upper, &work, target)
    }
}

fn system_folders(layer: &Layer, root: &Path) -> Result<(), StepError> {
    for name in SYSTEM {
        let host = Path::new("/").join(name);
        let place = root.join(name);
        let Ok(metadata) = fs::symlink_metadata(&host) else { continue };
        if metadata.is_symlink() {
            let target = fs::read_link(&host).during_with(|| format!("reading {}", host.display()))?;
            symlink(target, &place).during_with(|| format!("linking {}", host.display()))?;
        } else if metadata.is_dir() {
            fs::create_dir(&place).during_with(|| format!("making {}", host.display()))?;
            layer.overlay(name, &host, &place)?;
        }
    }
    // An overlay does not show what is mounted below its lower folder, /usr/local on a disk of its own for instance.
    for (number, below) in mounted_below_system()?.into_iter().enumerate() {
        let place = root.join(below.strip_prefix("/").unwrap_or(&below));
        layer.overlay(&format!("mounted-{number}"), &below, &place)?;
    }
    Ok(())
}

/// Mount points of real file systems below the system folders (`proc_pid_mountinfo(5)`), parents first.
fn mounted_below_system() -> Result<Vec<PathBuf>, StepError> {
    let table = fs::read_to_string("/proc/self/mountinfo").during("reading /proc/self/mountinfo")?;
    let mut found: Vec<PathBuf> = table.lines().filter_map(|line| line.split(' ').nth(4)).map(unescape).collect();
    found.retain(|path| {
        let below = SYSTEM.iter().any(|name| path.starts_with(Path::new("/").join(name)) && path.components().count() > 2);
        below && path.is_dir()
    });
    found.sort();
    found.dedup();
    Ok(found)
}

/// Undoes the octal escapes of mountinfo (`\040` for a space).
fn unescape(field: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let [first, tail @ ..] = rest {
        let octal = (*first == b'\\').then(|| tail.get(..3)).flatten();
        let number = octal.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match number {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    PathBuf::from(std::ffi::OsString::from(std::ffi::OsStr::from_bytes(&bytes)))
}

fn folders(root: &Path) -> Result<(), StepError> {
    for (name, mode) in FOLDERS {
        let place = root.join(name);
        match fs::create_dir(&place) {
            Ok(()) => {}
            // A system folder, or one of the image's own.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                real_folder(&place)?;
                if !matches!(name, "home/node" | "root" | "tmp" | "var/tmp") {
                    continue;
                }
            }
            Err(error) => return Err(error).during_with(|| format!("making /{name}")),
        }
        fs::set_permissions(&place, fs::Permissions::from_mode(mode)).during_with(|| format!("setting the mode of /{name}"))?;
    }
    Ok(())
}

/// Refuses a link where the helper is about to write: while the root is being built the host's files are still there, and an
/// image's link could lead to them.
pub fn real_folder(place: &Path) -> Result<(), StepError> {
    let metadata = fs::symlink_metadata(place).during_with(|| format!("looking at {}", place.display()))?;
    if metadata.is_dir() {
        return Ok(());
    }
    let reason = "it is no folder in the image the bottle is made from".to_owned();
    Err(StepError { step: format!("preparing {}", place.display()).into(), errno: 0, reason })
}

/// Gives a folder to `node`. Where only one id is mapped it is node's already.
pub fn give_to_node(path: &Path, ids: Ids) -> Result<(), StepError> {
    match ids {
        Ids::Single { .. } => Ok(()),
        Ids::Mapped => rustix::fs::chown(path, Some(Uid::from_raw(1000)), Some(Gid::from_raw(1000)))
            .during_with(|| format!("giving {} to node", path.display())),
    }
}

fn pivot(root: &Path) -> Result<(), StepError> {
    chdir(root).during("entering the new root")?;
    // Old and new root change places in one spot, so that no folder for the old one is needed (`pivot_root(2)`, NOTES).
    pivot_root(".", ".").during("changing the root")?;
    unmount(".", UnmountFlags::DETACH).during("detaching the host's file system")?;
    chdir("/").during("entering the new root")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mountinfo_escapes_are_undone() {
        assert_eq!(unescape(r"/usr/local/my\040disk\134x"), PathBuf::from("/usr/local/my disk\\x"));
        assert_eq!(unescape(r"/usr/odd\9"), PathBuf::from(r"/usr/odd\9"));
    }
}
