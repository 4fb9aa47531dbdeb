//! A bottle in a machine of its own (smolvm): from a workload of the machine, which is root with every power, to PID 1 of a bottle.
//!
//! The machine's kernel is the bottle's own, and what smolvm has put beside the workload is not: its agent, which runs whatever it is told,
//! its disks, the sockets that lead to the host. So the bottle gets namespaces inside the machine, with nothing in them but the image,
//! the tools and what every bottle has. The relay is in its network and outside of all others.
//!
//! ```text
//! keeper ── relay        ends the machine when either ends: it is the workload, and the machine stops with it
//!        └─ PID 1        of the bottle
//! ```

use std::collections::HashSet;
use std::ffi::{CString, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_change, mount_remount, unmount};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};

use crate::step::{During, StepError};
use crate::sys::{self, Fork};

/// What the workload is started with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    /// The socket that leads to the session.
    pub control: PathBuf,
    /// The bottle's host name.
    pub host_name: OsString,
    /// How many processes there may be.
    pub processes: Option<u64>,
    /// Processor time in a tenth of a second, in microseconds, over all processors.
    pub quota: Option<u64>,
    /// How much may be written, in bytes.
    pub disk: Option<u64>,
    /// Mounts that stay: the tools.
    pub keep: Vec<PathBuf>,
    /// The relay's command.
    pub relay: Vec<CString>,
}

/// Mounts that a bottle has; all others are smolvm's own and go.
const MOUNTS: [&str; 6] = ["/", "/dev", "/dev/pts", "/dev/shm", "/tmp", "/run"];
/// Where smolvm shows the sockets and the programs; nothing of it is for the bottle.
const OURS: &str = "/.bot-bottle";
/// Devices that a bottle does not have: the kernel's log, file systems of a program's own.
const DEVICES: [&str; 2] = ["/dev/kmsg", "/dev/fuse"];
/// What is hidden of the kernel, as in containers.
const HIDDEN: [&str; 8] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kallsyms",
    "/proc/kcore",
    "/proc/keys",
    "/proc/sysrq-trigger",
    "/proc/timer_list",
];
/// What can be read and not set: the bottle's root has no powers and owns these files all the same.
const READ_ONLY: [&str; 4] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"];
/// Where the disk is mounted that holds all that is written in the bottle.
const DISK: &str = "/storage";
/// Where the machine's control groups are (`cgroups(7)`, version 2), and the bottle's.
const GROUPS: &str = "/sys/fs/cgroup";
const GROUP: &str = "/sys/fs/cgroup/bot-bottle";

/// Returns as PID 1 of the bottle, with the stream to the session as stdin and stdout.
///
/// # Errors
/// When the machine is not as it should be.
pub fn enter(machine: &Machine) -> Result<(), StepError> {
    let session = UnixStream::connect(&machine.control).during("reaching the session")?;
    rustix::stdio::dup2_stdin(&session).during("taking the session's stream")?;
    rustix::stdio::dup2_stdout(&session).during("taking the session's stream")?;
    drop(session);
    // smolvm's agent may listen on the machine's own, also where the relay is to.
    sys::new_network().during("making the bottle's network")?;
    let relay = start_relay(&machine.relay).during("starting the relay")?;
    limit(machine)?;
    sys::new_namespaces().during("making the bottle's namespaces")?;
    rustix::system::sethostname(machine.host_name.as_bytes()).during("naming the bottle's host")?;
    let first = match sys::fork().during("making the bottle's first process")? {
        Fork::Parent(first) => first,
        Fork::Child => return arrange(&machine.keep),
    };
    keep(first, relay)
}

/// The workload's own process, for the rest of its life.
fn keep(first: Pid, relay: Pid) -> ! {
    // Whoever holds the stream keeps the session from seeing its end.
    let _ = leave_streams();
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, _))) if pid == first || pid == relay => break,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => break,
        }
    }
    // PID 1's end is the end of everything in the bottle.
    for process in [first, relay] {
        let _ = kill_process(process, Signal::KILL);
    }
    std::process::exit(0)
}

fn leave_streams() -> io::Result<()> {
    let null = rustix::fs::open("/dev/null", rustix::fs::OFlags::RDWR, rustix::fs::Mode::empty())?;
    rustix::stdio::dup2_stdin(&null)?;
    Ok(rustix::stdio::dup2_stdout(&null)?)
}

fn start_relay(argv: &[CString]) -> io::Result<Pid> {
    let program = argv.first().ok_or_else(|| io::Error::other("it is not named"))?;
    match sys::fork()? {
        Fork::Parent(relay) => Ok(relay),
        Fork::Child => {
            let error = leave_streams().err().unwrap_or_else(|| sys::execve(program, argv, &[]));
            eprintln!("starting the relay: {error}");
            std::process::exit(1)
        }
    }
}

/// Holds whatever is started from here on to the bottle's limits. Its memory is the machine's.
fn limit(machine: &Machine) -> Result<(), StepError> {
    if let Some(most) = machine.disk {
        leave_room(most).during("limiting the disk")?;
    }
    let limits = [
        ("pids.max", machine.processes.map(|most| most.to_string())),
        ("cpu.max", machine.quota.map(|quota| format!("{quota} 100000"))),
    ];
    if limits.iter().all(|(_, limit)| limit.is_none()) {
        return Ok(());
    }
    // Delegated already by smolvm's agent, as far as it knows them; what is missing is seen by the files that are.
    let _ = put(&Path::new(GROUPS).join("cgroup.subtree_control"), "+cpu +pids");
    fs::create_dir(GROUP).during("making the bottle's control group")?;
    for (file, limit) in limits {
        if let Some(limit) = limit {
            put(&Path::new(GROUP).join(file), &limit).during_with(|| format!("setting {file}"))?;
        }
    }
    put(&Path::new(GROUP).join("cgroup.procs"), "0").during("entering the bottle's control group")
}

/// A machine's disk comes in whole gigabytes: a file that nobody reaches takes what is more than the limit (`fallocate(2)`).
fn leave_room(most: u64) -> io::Result<()> {
    let ballast = fs::File::options().write(true).create_new(true).open(Path::new(DISK).join("bot-bottle-ballast"))?;
    let disk = rustix::fs::fstatvfs(&ballast)?;
    // All that is free, also what is kept for root, whose id a program of the bottle can have.
    let surplus = (disk.f_bfree * disk.f_frsize).saturating_sub(most);
    if surplus > 0 {
        rustix::fs::fallocate(&ballast, rustix::fs::FallocateFlags::empty(), 0, surplus)?;
    }
    Ok(())
}

/// Writes to a file of the kernel's.
fn put(file: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::File::options().write(true).open(file)?;
    io::Write::write_all(&mut file, text.as_bytes())
}

/// Leaves of the machine's mounts what a bottle has. Runs as PID 1 of the new namespaces, before anything of the bottle's.
fn arrange(keep: &[PathBuf]) -> Result<(), StepError> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).during("keeping mounts to itself")?;
    detach(keep)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", "/proc", "proc", flags, None).during("mounting /proc")?;
    for path in READ_ONLY.into_iter().filter(|path| Path::new(path).exists()) {
        mount_bind(path, path).during_with(|| format!("closing {path}"))?;
        mount_remount(path, flags | MountFlags::BIND | MountFlags::RDONLY, "").during_with(|| format!("closing {path}"))?;
    }
    for path in HIDDEN.into_iter().chain(["/sys", OURS]).filter(|path| Path::new(path).exists()) {
        hide(path).during_with(|| format!("hiding {path}"))?;
    }
    for device in DEVICES {
        match fs::remove_file(device) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).during_with(|| format!("removing {device}"));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn hide(path: &str) -> io::Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    if Path::new(path).is_dir() {
        mount("none", path, "tmpfs", flags | MountFlags::RDONLY, Some(c"size=0,mode=555"))?;
    } else {
        mount_bind("/dev/null", path)?;
    }
    Ok(())
}

/// Takes every other mount away, the latest first.
fn detach(keep: &[PathBuf]) -> Result<(), StepError> {
    let wanted: HashSet<&Path> = MOUNTS.iter().map(Path::new).chain(keep.iter().map(PathBuf::as_path)).collect();
    let table = fs::read("/proc/self/mountinfo").during("reading the mounts")?;
    for point in mount_points(&table).into_iter().rev().filter(|point| !wanted.contains(point.as_path())) {
        match unmount(&point, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
            // Gone with one above it.
            Ok(()) | Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOENT) => {}
            Err(error) => return Err(error).during_with(|| format!("taking {} away", point.display())),
        }
    }
    Ok(())
}

/// The fifth field of every line (`proc_pid_mountinfo(5)`), in which space, tab, newline and backslash stand as three octal digits.
fn mount_points(table: &[u8]) -> Vec<PathBuf> {
    let fields = table.split(|byte| *byte == b'\n').filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
    fields.map(|field| PathBuf::from(OsString::from_vec(unescaped(field)))).collect()
}

fn unescaped(mut field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    while let Some((first, rest)) = field.split_first() {
        let octal = || u8::from_str_radix(std::str::from_utf8(rest.get(..3)?).ok()?, 8).ok();
        match octal().filter(|_| *first == b'\\') {
            Some(byte) => {
                plain.push(byte);
                field = &rest[3..];
            }
            None => {
                plain.push(*first);
                field = rest;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::mount_points;

    #[test]
    fn mount_points_are_read_with_their_escapes() {
        let table = b"36 35 98:0 / / rw - ext4 a rw\n37 36 0:5 / /opt/a\\040b\\134 rw shared:1 - tmpfs b rw\n";
        assert_eq!(mount_points(table), ["/", "/opt/a b\\"].map(std::path::PathBuf::from));
    }
}
