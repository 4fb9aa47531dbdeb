//! The system calls that rustix does not wrap safely. The only `unsafe` of this crate.
//!
//! Most of it runs in the helper, which has one thread; what the session calls says so.

#![allow(unsafe_code, reason = "this file is where the crate's unsafe system calls live; each block says why it is sound")]

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use rustix::process::Pid;
#[cfg(feature = "session")]
use tokio::io::unix::AsyncFd;

/// The highest number that a descriptor can have; gVisor takes no higher one.
const HIGHEST: libc::c_int = libc::c_int::MAX;

/// Which side of a fork this is.
pub enum Fork {
    /// The new process.
    Child,
    /// The old process, and the new one's id.
    Parent(Pid),
}

/// Forks (`fork(2)`). Only for the helper: it has a single thread, so the child may run any code.
pub fn fork() -> io::Result<Fork> {
    debug_assert!(std::fs::read_dir("/proc/self/task").map_or(true, |tasks| tasks.count() <= 1));
    // SAFETY: the calling process has a single thread (the helper never starts another), so no lock can be held by a
    // thread that does not exist in the child.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Fork::Child),
        pid => Pid::from_raw(pid).map(Fork::Parent).ok_or_else(|| io::Error::other("fork returned no process id")),
    }
}

/// Gives the calling process a network of its own, with nothing in it but a loopback that is up (`network_namespaces(7)`,
/// `netdevice(7)`). Only for the helper, which has one thread.
pub fn new_network() -> io::Result<()> {
    // SAFETY: changes what this process sees of the network, and shares no memory or descriptors with anybody.
    check(unsafe { libc::unshare(libc::CLONE_NEWNET) })?;
    let socket = std::net::UdpSocket::bind(("0.0.0.0", 0))?;
    // SAFETY: all bytes of the structure may be zero.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(b"lo\0") {
        *place = byte.cast_signed();
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the request is one that SIOCSIFFLAGS takes, and outlives the call.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) }).map(drop)
}

/// Gives the calling process new namespaces for all but the network and users; its next child is the first process there
/// (`unshare(2)`). Only for the helper, which has one thread.
pub fn new_namespaces() -> io::Result<()> {
    let all = libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS | libc::CLONE_NEWCGROUP;
    // SAFETY: changes what this process sees of the system, and shares no memory or descriptors with anybody.
    check(unsafe { libc::unshare(all) }).map(drop)
}

/// Leaves the session and its terminal (`setsid(2)`). gVisor's older ones answer 0 instead of an id.
pub fn new_session() -> io::Result<()> {
    // SAFETY: takes no argument; changes this process's session alone.
    check(unsafe { libc::setsid() }).map(drop)
}

/// Makes the calling process a group of its own, to which the terminal of its session belongs (`tcsetpgrp(3)`).
pub fn take_terminal(terminal: &impl AsRawFd) -> io::Result<()> {
    // SAFETY: changes the group of this process and of its terminal; both dispositions are valid for SIGTTOU, which would stop a process
    // in the background that does this.
    unsafe {
        check(libc::setpgid(0, 0))?;
        libc::signal(libc::SIGTTOU, libc::SIG_IGN);
        let taken = check(libc::tcsetpgrp(terminal.as_raw_fd(), libc::getpid()));
        libc::signal(libc::SIGTTOU, libc::SIG_DFL);
        taken.map(drop)
    }
}

/// Replaces the program (`execve(2)`). Returns only on failure.
pub fn execve(program: &CString, argv: &[CString], env: &[CString]) -> io::Error {
    let pointers = |strings: &[CString]| -> Vec<*const libc::c_char> {
        strings.iter().map(|string| string.as_ptr()).chain(std::iter::once(std::ptr::null())).collect()
    };
    let (argv, env) = (pointers(argv), pointers(env));
    // SAFETY: both arrays end with a null pointer and point to NUL-terminated strings that outlive the call.
    unsafe { libc::execve(program.as_ptr(), argv.as_ptr(), env.as_ptr()) };
    io::Error::last_os_error()
}

/// Blocks SIGCHLD and makes a descriptor that becomes readable when a child ends (`signalfd(2)`).
pub fn child_signals() -> io::Result<OwnedFd> {
    // SAFETY: `set` is initialised by sigemptyset before it is read; signalfd returns a descriptor that nobody else owns.
    unsafe {
        let mut set = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        check(libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()))?;
        let fd = check(libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// Gives every signal its default action but SIGPIPE, which is ignored, as anywhere in this program: whoever started it may have
/// left others ignored, which execve hands on. For the helper, before it starts anything.
pub fn forget_signals() {
    // SAFETY: both dispositions are valid for every signal; the two that cannot be changed only return an error, which is ignored.
    unsafe {
        for signal in 1..=64 {
            libc::signal(signal, if signal == libc::SIGPIPE { libc::SIG_IGN } else { libc::SIG_DFL });
        }
    }
}

/// Gives the last signal its default action and unblocks all: what a program expects after execve (`signal(7)`). After
/// [`forget_signals`].
pub fn reset_signals() -> io::Result<()> {
    // SAFETY: `set` is initialised by sigemptyset; SIG_DFL is valid for SIGPIPE.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        let mut set = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&raw mut set);
        check(libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut()))?;
    }
    Ok(())
}

/// What has stopped a process that this one traces: the signal's `si_code`, and who sent it, where a process did
/// (`PTRACE_GETSIGINFO`, `sigaction(2)`).
///
/// # Errors
/// `ESRCH` where this process does not trace it, `EINVAL` where it is stopped by no signal of its own.
pub fn cause_of_stop(tracee: Pid) -> io::Result<(libc::c_int, libc::pid_t)> {
    // SAFETY: all zeroes are a valid siginfo_t, and the kernel writes no more than one; the sender is a number among bytes that are
    // all initialised, whatever else they mean.
    unsafe {
        let mut info = std::mem::zeroed::<libc::siginfo_t>();
        let nowhere = std::ptr::null_mut::<libc::c_void>();
        match libc::ptrace(libc::PTRACE_GETSIGINFO, tracee.as_raw_nonzero().get(), nowhere, &raw mut info) {
            0.. => Ok((info.si_code, info.si_pid())),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// Stops tracing a stopped process, which goes on and gets the signal; 0 is none (`PTRACE_DETACH`).
///
/// # Errors
/// `ESRCH` where it is gone.
pub fn detach(tracee: Pid, signal: libc::c_int) -> io::Result<()> {
    let nowhere = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: changes nothing of this process's; the last argument is a number in the place of a pointer, as `ptrace(2)` has it.
    match unsafe { libc::ptrace(libc::PTRACE_DETACH, tracee.as_raw_nonzero().get(), nowhere, libc::c_long::from(signal)) } {
        0.. => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Marks every descriptor from `first` on close-on-exec (`close_range(2)`), so that none leaks into the bottle
/// (CVE-2024-21626).
pub fn close_on_exec_from(first: u32) -> io::Result<()> {
    // SAFETY: sets a flag on descriptors of this process; it neither closes nor reuses any.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, HIGHEST, libc::CLOSE_RANGE_CLOEXEC) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Closes every descriptor from `first` on. Only at the start of the helper, before it owns any.
pub fn close_from(first: u32) -> io::Result<()> {
    // SAFETY: called before this process has made any descriptor of its own from `first` on, so no owner is left dangling.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, HIGHEST, 0) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Makes whatever this process creates from now on belong to `id` (`setfsuid(2)`; gVisor has only `seteuid(2)`, which does that and
/// more). Its capabilities stay: the helper's own id is not root's. Who may signal or trace it is decided by its other ids.
pub fn create_as(id: u32) -> io::Result<()> {
    const SAME: u32 = u32::MAX;
    // SAFETY: changes numbers of this process's credentials; it has one thread.
    unsafe {
        libc::setfsgid(id);
        libc::setfsuid(id);
        // The call has no error of its own: asking again gives the number that is in force.
        if libc::setfsuid(SAME).cast_unsigned() == id && libc::setfsgid(SAME).cast_unsigned() == id {
            return Ok(());
        }
        check(libc::setresgid(SAME, id, SAME))?;
        check(libc::setresuid(SAME, id, SAME))?;
    }
    // The change may have opened the process to tracing.
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable).map_err(Into::into)
}

/// Watches a descriptor in the runtime of the calling task.
#[cfg(feature = "session")]
pub fn watch(fd: OwnedFd, interest: tokio::io::Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an OwnedFd is a valid descriptor and stays the same one until it is dropped, with the AsyncFd that owns it.
    unsafe { AsyncFd::register_with_interest(fd, interest) }.map_err(io::Error::from)
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
