//! What a session could leave on the machine: processes, mounts, cgroups, state.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::elsewhere::{containers, is_native, running};
use crate::scene::{Scene, wait_until};

/// Looks from before the session was started.
pub struct Traces {
    label: String,
    mounts: BTreeSet<String>,
}

impl Traces {
    /// To be made before the session of that label. From now on every orphan below this test comes to the test instead of
    /// to init (`PR_SET_CHILD_SUBREAPER`), so that a bottle's processes are found by their ancestors, whatever they call
    /// themselves. nextest gives each test a process of its own; beside other tests in one process nothing can be told apart.
    pub fn before(label: &str) -> Self {
        rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
        Self { label: label.to_owned(), mounts: mounts() }
    }

    /// Whether the session has begun to make its bottle: there is a process beside its own, or a container.
    pub fn helper_runs(&self) -> bool {
        if is_native() { own_processes().len() > 1 } else { !containers(&self.label).is_empty() }
    }

    /// No process, no mount, no cgroup, no state.
    pub fn assert_none(&self, scene: &Scene, context: &str) {
        assert_eq!(own_processes(), BTreeMap::new(), "{context}: processes are left");
        self.assert_no_mount(context);
        assert_eq!(self.cgroups(), Vec::<PathBuf>::new(), "{context}: cgroups are left");
        // An engine that is busy still lists what it no longer knows.
        wait_until("the containers are gone", || containers(&self.label).is_empty());
        scene.assert_nothing_left();
    }

    /// What SIGKILL leaves: processes end by themselves, state and cgroups are found by `cleanup`.
    pub fn assert_none_after_cleanup(&self, scene: &Scene, context: &str) {
        wait_until("the processes of the killed session end", || own_processes().is_empty());
        // The engine ends them when their connection does; one that was not started yet is for `cleanup`.
        wait_until("the containers of the killed session end", || running(&self.label).is_empty());
        self.assert_no_mount(context);
        // Other sessions of this machine may be cleaned up along with it.
        let ran = scene.run(&["cleanup", "--yes"]);
        assert_eq!(ran.code, 0, "{context}: {ran:?}");
        assert_eq!(self.cgroups(), Vec::<PathBuf>::new(), "{context}: cgroups are left");
        wait_until("the containers are gone", || containers(&self.label).is_empty());
        scene.assert_nothing_left();
    }

    /// Cgroups of the session's bottle, in every hierarchy.
    pub fn cgroups(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        search(Path::new("/sys/fs/cgroup"), &format!("bot-bottle-{}.", self.label), &mut found);
        found
    }

    fn assert_no_mount(&self, context: &str) {
        // Where bottles are put together; others may mount what they like meanwhile, the engine of other tests in a folder of its own.
        let is_ours = |place: &str| Path::new(place).starts_with("/tmp") && !place.contains("/docker/");
        let ours = |mount: &&String| mount.split(' ').nth(4).is_some_and(is_ours);
        let (now, before) = (mounts(), &self.mounts);
        let new: Vec<_> = now.difference(before).filter(ours).collect();
        assert!(new.is_empty(), "{context}: mounts are left: {new:?}");
    }
}

fn mounts() -> BTreeSet<String> {
    fs::read_to_string("/proc/self/mountinfo").unwrap().lines().map(str::to_owned).collect()
}

fn search(folder: &Path, beginning: &str, found: &mut Vec<PathBuf>) {
    // A cgroup may go while it is looked at.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if entry.file_name().to_string_lossy().starts_with(beginning) {
                found.push(entry.path());
            }
            search(&entry.path(), beginning, found);
        }
    }
}

/// Every process below this one that has not ended, with its name.
fn own_processes() -> BTreeMap<i32, String> {
    processes_below(std::process::id())
}

/// Every process below process `own` that has not ended, with its name.
pub fn processes_below(own: u32) -> BTreeMap<i32, String> {
    let own = i32::try_from(own).unwrap();
    let all: Vec<Process> = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| Process::read(&entry.path())).collect();
    let mut family = BTreeSet::from([own]);
    loop {
        let before = family.len();
        family
            .extend(all.iter().filter(|process| family.contains(&process.parent)).map(|process| process.id).collect::<Vec<_>>());
        if family.len() == before {
            break;
        }
    }
    let alive = all.into_iter().filter(|process| process.id != own && family.contains(&process.id) && process.state != "Z");
    alive.map(|process| (process.id, process.name)).collect()
}

struct Process {
    id: i32,
    name: String,
    state: String,
    parent: i32,
}

impl Process {
    /// Fields 1 to 4 of `/proc/PID/stat` (`proc_pid_stat(5)`).
    fn read(folder: &Path) -> Option<Self> {
        let id = folder.file_name()?.to_str()?.parse().ok()?;
        let stat = fs::read_to_string(folder.join("stat")).ok()?;
        let (before, after) = stat.rsplit_once(") ")?;
        let mut fields = after.split(' ');
        let (state, parent) = (fields.next()?.to_owned(), fields.next()?.parse().ok()?);
        Some(Self { id, name: before.split_once('(')?.1.to_owned(), state, parent })
    }
}
