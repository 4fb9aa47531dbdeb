//! Limits on memory, processor and processes (`cgroups(7)`).

mod v1;
mod v2;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bottle::{BottleName, LimitHit, LimitSupport, Limits};
use rustix::process::Pid;

/// What every cgroup of ours is called, followed by the bottle's name, a dot and the session's process id: how `cleanup` finds
/// it, and knows whether a session still wants it. Two sessions of one name (in two homes) do not meet.
const PREFIX: &str = "bot-bottle-";

/// The controllers that limits need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Controller {
    Memory,
    Cpu,
    Pids,
}

/// Which hierarchy this machine lets the person use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hierarchy {
    /// One folder below which we may make cgroups, version 2.
    Two(PathBuf),
    /// Version 1, one folder for each controller; root's alone.
    One(v1::Roots),
    /// None, and why.
    None(String),
}

impl Hierarchy {
    /// Looks at this machine.
    pub fn find() -> Self {
        match v2::delegated() {
            Ok(folder) => Self::Two(folder),
            Err(why_not) => v1::roots().map_or(Self::None(why_not), Self::One),
        }
    }

    /// Which limits can be enforced. Disk always: it is the size of the private layer.
    pub fn support(&self) -> LimitSupport {
        let of = |controller| match self {
            Self::Two(folder) => v2::has(folder, controller),
            Self::One(roots) => roots.has(controller),
            Self::None(why) => Err(why.clone()),
        };
        LimitSupport { memory: of(Controller::Memory), cpus: of(Controller::Cpu), pids: of(Controller::Pids), disk: Ok(()) }
    }

    /// Makes the bottle's cgroups, sets the limits and moves `helper` in. Nothing is made when no limit is set. What was made
    /// before an error is in `groups`.
    pub fn enter(&self, name: &BottleName, limits: &Limits, helper: Pid, groups: &mut Groups) -> io::Result<()> {
        if limits.memory.is_none() && limits.cpus.is_none() && limits.pids.is_none() {
            return Ok(());
        }
        let folder = format!("{PREFIX}{name}.{}", std::process::id());
        match self {
            Self::Two(parent) => v2::enter(&parent.join(&folder), limits, helper, groups),
            Self::One(roots) => roots.enter(&folder, limits, helper, groups),
            Self::None(why) => Err(io::Error::other(why.clone())),
        }
    }

    /// Cgroups of ours whose session is gone: it was killed. The first have nothing in them; in the others something still ends.
    pub fn leftovers(&self) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let parents: Vec<&Path> = match self {
            Self::Two(parent) => vec![parent],
            Self::One(roots) => roots.folders(),
            Self::None(_) => Vec::new(),
        };
        let entries = parents.into_iter().filter_map(|parent| fs::read_dir(parent).ok()).flatten().flatten();
        let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)).map(|entry| entry.path());
        ours.filter(|path| !session_of(path).is_some_and(lives)).partition(|path| is_empty(path))
    }
}

/// The bottle that a cgroup was made for.
pub fn bottle_of(group: &Path) -> Option<BottleName> {
    let (name, _) = group.file_name()?.to_str()?.strip_prefix(PREFIX)?.rsplit_once('.')?;
    BottleName::parse(name).ok()
}

fn session_of(group: &Path) -> Option<Pid> {
    let (_, session) = group.file_name()?.to_str()?.rsplit_once('.')?;
    Pid::from_raw(session.parse().ok()?)
}

/// Whether a process exists; one of another person's does too.
fn lives(session: Pid) -> bool {
    !matches!(rustix::process::test_kill_process(session), Err(rustix::io::Errno::SRCH))
}

fn is_empty(group: &Path) -> bool {
    fs::read_to_string(group.join("cgroup.procs")).is_ok_and(|processes| processes.trim().is_empty())
}

/// The cgroups of one bottle, in the order they were made.
#[derive(Debug, Default)]
pub struct Groups {
    folders: Vec<PathBuf>,
}

impl Groups {
    fn make(&mut self, folder: &Path) -> io::Result<()> {
        fs::create_dir(folder).map_err(|error| at(folder, &error))?;
        self.folders.push(folder.to_owned());
        Ok(())
    }

    /// Removes them; all processes must be gone. Goes on after an error and gives the first.
    pub fn remove(&mut self) -> io::Result<()> {
        let mut first = Ok(());
        // One that could not be removed stays listed, so that a second try says so too.
        self.folders.retain(|folder| {
            let removed = remove(folder);
            let failed = removed.is_err();
            if first.is_ok() {
                first = removed;
            }
            failed
        });
        first
    }

    /// Limits that were reached.
    pub fn hits(&self) -> Vec<LimitHit> {
        helper::session::limits_hit(&self.folders)
    }
}

impl Drop for Groups {
    /// A launch that was given up half way leaves none behind.
    fn drop(&mut self) {
        let _ = self.remove();
    }
}

/// Removes one cgroup. Its processes may need a moment to be unhashed after their namespace is gone.
pub fn remove(folder: &Path) -> io::Result<()> {
    for _ in 0..200 {
        match fs::remove_dir(folder) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => std::thread::sleep(std::time::Duration::from_millis(5)),
            Err(error) => return Err(at(folder, &error)),
        }
    }
    Err(at(folder, &io::ErrorKind::ResourceBusy.into()))
}

fn set(folder: &Path, file: &str, value: &str) -> io::Result<()> {
    use std::io::Write;
    let path = folder.join(file);
    let opened = fs::OpenOptions::new().write(true).open(&path);
    opened.and_then(|mut file| file.write_all(value.as_bytes())).map_err(|error| at(&path, &error))
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Microseconds of processor time in each period of 100 ms.
fn quota(cpus: f64) -> u64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded by clamp")]
    let quota = (cpus * PERIOD as f64).clamp(1_000.0, 1e12) as u64;
    quota
}

/// Length of a scheduling period in microseconds.
const PERIOD: u32 = 100_000;
