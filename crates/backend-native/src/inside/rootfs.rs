//! The root file system: the host's system folders read-only below a private layer in memory, and nothing else of the host.
//!
//! Everything private lives in one tmpfs, the *layer*: it ends with the mount namespace, however the bottle ends, and its
//! size is the bottle's disk limit. The finished root is pivoted into and the host's tree detached (`pivot_root(2)`).

use std::cell::Cell;
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount_bind, mount_change, unmount};
use rustix::process::{Gid, Uid, chdir, pivot_root};

use super::host_folders::HostFolders;
use super::lend::Loan;
use super::{Lent, dev, etc, mounts, proc, skeleton, tools};
use helper::step::{During, StepError};
use helper::wire::{Ids, Setup};

use crate::host_file;
use crate::system_folders::SYSTEM;

/// Where the layer is mounted while it is being built. The host's own folder is covered in this namespace alone.
const LAYER: &str = "/tmp";
/// Files that a bottle may have however small its disk limit is: what the helper itself makes, and some more.
const SPARE_FILES: u64 = 4096;
/// Folders that every bottle has, with their permission bits.
const FOLDERS: [(&str, u32); 22] = [
    ("dev", 0o755),
    ("etc", 0o755),
    ("home", 0o755),
    ("home/node", 0o700),
    ("mnt", 0o755),
    ("opt", 0o755),
    ("proc", 0o555),
    ("root", 0o700),
    ("run", 0o755),
    ("run/lock", 0o1777),
    ("srv", 0o755),
    ("sys", 0o555),
    ("tmp", 0o1777),
    ("usr", 0o755),
    ("var", 0o755),
    ("var/cache", 0o755),
    ("var/lib", 0o755),
    ("var/log", 0o755),
    ("var/opt", 0o755),
    ("var/spool", 0o755),
    ("var/tmp", 0o1777),
    ("var/local", 0o755),
];

/// Host paths that must be opened before the helper gives up the person's id.
pub struct Sources {
    devices: Option<OwnedFd>,
    image: Option<OwnedFd>,
    tools: Vec<tools::Source>,
}

impl Sources {
    /// Opens what the set-up names.
    pub fn open(setup: &Setup, lent: Lent) -> Result<Self, StepError> {
        mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).during("leaving the host's mounts")?;
        let image = match &setup.image {
            None => None,
            Some(image) => {
                let opened = host_file::open(image, OFlags::PATH | OFlags::DIRECTORY);
                Some(opened.during_with(|| format!("opening the image folder {}", image.path().display()))?)
            }
        };
        let loans = lent.tools.into_iter().chain(std::iter::repeat_with(|| Loan::NotNeeded));
        let tools = setup.tools.iter().zip(loans).map(|(tool, loan)| tools::Source::open(tool, loan));
        Ok(Self { devices: lent.devices, image, tools: tools.collect::<Result<_, _>>()? })
    }
}

/// Builds the root and moves into it.
pub fn build(setup: &Setup, sources: Sources) -> Result<(), StepError> {
    let layer = Layer::mount(setup.disk)?;
    let root = layer.path("root");
    match &sources.image {
        None => {
            mount_bind(&root, &root).during("making the root a mount")?;
            let host = HostFolders::new(&layer, &root)?;
            SYSTEM.iter().try_for_each(|name| host.show(&Path::new("/").join(name)))?;
            folders(&root)?;
            etc::from_host(&host, &layer, &root)?;
        }
        Some(image) => {
            let lower = PathBuf::from(format!("/proc/self/fd/{}", image.as_raw_fd()));
            layer.overlay_image(&lower, &root)?;
            folders(&root)?;
            skeleton::replace_links(&root)?;
        }
    }
    etc::own(&root, &setup.name)?;
    give_to_node(&root.join("home/node"), setup.ids)?;
    for tool in sources.tools {
        tool.attach(&root, &layer, setup.ids)?;
    }
    dev::build(&root, &layer, sources.devices, setup.ids)?;
    proc::build(&root, &layer)?;
    pivot(&root)
}

/// The private tmpfs.
pub struct Layer {
    path: PathBuf,
    /// How many overlays have their folders in it: their names.
    overlays: Cell<u32>,
    /// How many mounts are kept in it.
    kept: Cell<u32>,
}

impl Layer {
    fn mount(size: Option<u64>) -> Result<Self, StepError> {
        let path = PathBuf::from(LAYER);
        // An empty file takes no space, but about 1 KiB of the kernel's memory: as much again as the limit at most.
        let size =
            size.map_or_else(|| "size=50%".to_owned(), |bytes| format!("size={bytes},nr_inodes={}", bytes / 1024 + SPARE_FILES));
        mounts::tmpfs(&path, MountFlags::empty(), &format!("mode=755,{size}"))?;
        let layer = Self { path, overlays: Cell::new(0), kept: Cell::new(0) };
        for folder in ["root", "upper", "work", "shm", "empty", "nodes", "kept"] {
            fs::create_dir(layer.path(folder)).during_with(|| format!("preparing the private layer ({folder})"))?;
        }
        fs::File::create_new(layer.path("hidden")).during("preparing the private layer (hidden)")?;
        Ok(layer)
    }

    /// A folder of its own.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The upper and the work folder of one more overlay.
    pub fn writable(&self) -> Result<(PathBuf, PathBuf), StepError> {
        let number = self.overlays.replace(self.overlays.get() + 1).to_string();
        let (upper, work) = (self.path("upper").join(&number), self.path("work").join(&number));
        for folder in [&upper, &work] {
            fs::create_dir(folder).during_with(|| format!("preparing the private layer ({})", folder.display()))?;
        }
        Ok((upper, work))
    }

    /// Attaches a mount out of sight: an overlay takes no lower folder from a mount that is nowhere.
    pub fn keep(&self, mount: &OwnedFd) -> Result<PathBuf, StepError> {
        let number = self.kept.replace(self.kept.get() + 1).to_string();
        let place = self.path("kept").join(number);
        fs::create_dir(&place).during("preparing the private layer (kept)")?;
        mounts::put(mount, &place)?;
        Ok(place)
    }

    /// Lays a private folder over a folder of the host's at `target`.
    pub fn overlay(&self, host: &Path, target: &Path) -> Result<(), StepError> {
        let (upper, work) = self.writable()?;
        skeleton::make(host, &upper)?;
        mounts::overlay(host, &upper, &work, target)
    }

    /// Lays a private folder over an image at `target`.
    fn overlay_image(&self, image: &Path, target: &Path) -> Result<(), StepError> {
        let (upper, work) = self.writable()?;
        skeleton::of_image(FOLDERS.iter().map(|(folder, _)| *folder), image, &upper)?;
        mounts::overlay(image, &upper, &work, target)
    }
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
