//! Control groups (`cgroups(7)`, version 1) of a kernel of the bottle's own: gVisor, of which older versions have no subreapers,
//! and whose host counts threads where a bottle's processes are meant.
//!
//! The file system is mounted, opened and taken away again before any program runs: who has no descriptor of it has no name for it,
//! and no program can mount it. A process that is in a group, and all it ever starts, is in it until somebody writes
//! otherwise into a file of that file system.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags, fchmod, fchown, mkdirat, openat, unlinkat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{Gid, Pid, Uid, getpid};

use crate::privileges;
use crate::step::{During, StepError};

/// Where it is mounted for a moment: a file system of the engine's own, so that no image can have planted a link there.
const PLACE: &str = "/dev/shm";
/// The group that is limited.
const ALL: &str = "bottle";
/// Most names that are tried for a group: others of the same number hold what a program has left running.
const NAMES: u32 = 1000;
/// Read at once of a list of processes.
const GULP: usize = 64 << 10;

/// Where each program gets a group.
pub struct Groups(OwnedFd);

impl Groups {
    /// Whatever the calling process starts from now on can be told apart, and is at most so many `processes`.
    ///
    /// # Errors
    /// When this kernel has no such groups.
    pub fn open(processes: Option<u64>) -> Result<Self, StepError> {
        if let Some(most) = processes {
            // A tree of its own: gVisor does not count what is in a group below.
            let all = folder(&tree(c"pids")?, ALL).during("making the bottle's control group")?;
            put(&all, "pids.max", most).during("limiting the number of processes")?;
            put(&all, "cgroup.procs", own_id()).during("entering the bottle's control group")?;
        }
        // Not `job`: gVisor lets go of the count above for each process that enters a group of that.
        let programs = tree(c"cpuacct")?;
        // The helper's alone: gVisor lets the bottle's root through `/proc/1/fd` to whatever its own mode opens to it, and who writes
        // here leaves the group by which it is killed.
        let owner = (Some(Uid::from_raw(privileges::HELPER)), Some(Gid::from_raw(privileges::HELPER)));
        fchown(&programs, owner.0, owner.1).during("taking the control groups")?;
        fchmod(&programs, Mode::RWXU).during("closing the control groups")?;
        Ok(Self(programs))
    }

    /// Makes a group for one program.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn make(&self) -> io::Result<Group> {
        let above = self.0.try_clone()?;
        for number in 0..NAMES {
            let name = format!("{}-{number}", own_id());
            match folder(&above, &name) {
                Ok(folder) => return Ok(Group { above, name, folder }),
                // Of an earlier process with this number. Empty by now, it is free to be made again; otherwise the next name is.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if unlinkat(&above, &name, AtFlags::REMOVEDIR).is_ok() {
                        let folder = folder(&above, &name)?;
                        return Ok(Group { above, name, folder });
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

/// The group of one program.
pub struct Group {
    above: OwnedFd,
    name: String,
    folder: OwnedFd,
}

impl Group {
    /// The calling process enters.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn join(&self) -> io::Result<()> {
        put(&self.folder, "cgroup.procs", own_id())
    }

    /// Who is in it.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn members(&self) -> io::Result<Vec<Pid>> {
        let file = openat(&self.folder, "cgroup.procs", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let (mut text, mut chunk) = (Vec::new(), vec![0; GULP]);
        loop {
            match rustix::io::read(&file, &mut chunk) {
                Ok(0) => break,
                Ok(got) => text.extend_from_slice(chunk.get(..got).unwrap_or_default()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let numbers = String::from_utf8(text).map_err(io::Error::other)?;
        Ok(numbers.lines().filter_map(|line| line.parse().ok().and_then(Pid::from_raw)).collect())
    }
}

impl Drop for Group {
    /// In the process that watches. One that holds what its program left running stays, and is taken over by its number's next.
    fn drop(&mut self) {
        let _ = unlinkat(&self.above, &self.name, AtFlags::REMOVEDIR);
    }
}

/// Mounts the groups of a controller, opens them and takes the mount away.
fn tree(controller: &CStr) -> Result<OwnedFd, StepError> {
    mount("cgroup", PLACE, "cgroup", MountFlags::empty(), controller)
        .during("mounting the control groups of the bottle's kernel")?;
    let top = rustix::fs::open(PLACE, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    unmount(PLACE, UnmountFlags::DETACH).during("hiding the control groups")?;
    top.during("opening the control groups")
}

fn folder(above: &OwnedFd, name: &str) -> io::Result<OwnedFd> {
    mkdirat(above, name, Mode::from_raw_mode(0o700))?;
    Ok(openat(above, name, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

fn put(group: &OwnedFd, name: &str, value: u64) -> io::Result<()> {
    let file = openat(group.as_fd(), name, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&file, value.to_string().as_bytes())?;
    Ok(())
}

fn own_id() -> u64 {
    u64::from(getpid().as_raw_nonzero().get().unsigned_abs())
}
