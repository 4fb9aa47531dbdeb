//! The system calls that rustix does not wrap safely. The only `unsafe` of this crate.
//!
//! Most of it runs in the helper, which has one thread; what the session calls says so.

#![allow(unsafe_code, reason = "this file is where the crate's unsafe system calls live; each block says why it is sound")]

use std::ffi::CString;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::{AsRawFd, BorrowedFd};

/// Leaves new namespaces for this process (`unshare(2)`).
pub fn unshare(flags: rustix::thread::UnshareFlags) -> io::Result<()> {
    // SAFETY: unsharing the file table or file system attributes is what can break Rust's assumptions about other
    // threads; the helper has none.
    unsafe { rustix::thread::unshare_unsafe(flags) }.map_err(Into::into)
}

/// Executes the file behind a descriptor with an empty environment (`execveat(2)`). Returns only on failure.
pub fn execve_descriptor(program: BorrowedFd<'_>, argv: &[CString]) -> io::Error {
    let mut pointers: Vec<*const libc::c_char> = argv.iter().map(|string| string.as_ptr()).collect();
    pointers.push(std::ptr::null());
    let env = [std::ptr::null::<libc::c_char>()];
    // SAFETY: the path is an empty NUL-terminated string; both arrays end with a null pointer and point to NUL-terminated
    // strings that outlive the call.
    unsafe {
        libc::syscall(libc::SYS_execveat, program.as_raw_fd(), c"".as_ptr(), pointers.as_ptr(), env.as_ptr(), libc::AT_EMPTY_PATH)
    };
    io::Error::last_os_error()
}

/// Makes a `fn() -> u8` the program's entry; for the binary, which is `no_main`.
///
/// The standard library's own entry also reads `/proc/self/maps` and makes a stack for the signals of an overflow: a tenth of a
/// millisecond, which nobody misses but who runs `bot-bottle exec` a thousand times. What matters of it is in [`begin`].
#[macro_export]
macro_rules! entry {
    ($run:path) => {
        /// What the C library calls.
        // SAFETY: the program has no other `main`, and this one has the type that the C library expects (C11 §5.1.2.2.1).
        #[unsafe(no_mangle)]
        pub extern "C" fn main(_count: std::ffi::c_int, _words: *const *const std::ffi::c_char) -> std::ffi::c_int {
            $crate::begin();
            std::process::exit($run().into())
        }
    };
}

/// Prepares a process, whatever its caller has handed down. Opens /dev/null where stdin, stdout or stderr are closed: the next file
/// that is opened would be taken for them. In the place of stdout it is open for reading alone, so that writing fails as it does where
/// there is none: what was to be read by somebody must not be lost in silence. Ignores SIGPIPE: who reads no more is an error of a write. Lets the kernel tell of
/// children that end: a caller that ignores SIGCHLD hands that on through execve, and then nobody could wait for anything
/// (`sigaction(2)`, "SA_NOCLDWAIT").
pub fn begin() {
    // SAFETY: asks for flags of descriptors, opens one where none is, and sets dispositions that are valid for these signals.
    unsafe {
        for standard in 0..3 {
            if libc::fcntl(standard, libc::F_GETFD) < 0 {
                // The lowest that is free: this one.
                let mode = if standard == libc::STDOUT_FILENO { libc::O_RDONLY } else { libc::O_RDWR };
                if libc::open(c"/dev/null".as_ptr(), mode) != standard {
                    libc::abort();
                }
            }
        }
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
    }
    share_memory();
}

/// One pool of memory for all threads. The C library would give each of them one of its own, out of which nothing that was freed is
/// given back, and whose making is four system calls; but what runs here at once are a few threads that mostly wait (`mallopt(3)`).
fn share_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: sets a number of the allocator's, before there is a second thread.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Gives the kernel back what has been freed (`malloc_trim(3)`): for a session whose agent runs, after the reading of certificates
/// and manifests, of which the allocator would keep a megabyte as long as the session lives.
pub fn give_memory_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: touches free memory of the allocator's alone, and takes its locks.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Sets attributes of a mount and all below it (`mount_setattr(2)`).
pub fn mount_set_attributes(tree: BorrowedFd<'_>, set: u64) -> io::Result<()> {
    let attributes = libc::mount_attr { attr_set: set, attr_clr: 0, propagation: 0, userns_fd: 0 };
    set_attributes(tree, libc::AT_EMPTY_PATH | libc::AT_RECURSIVE, &attributes)
}

/// Makes a mount that is attached nowhere read-only and maps the ids in it as `namespace` maps its own: inside are those of the file
/// system, outside those that are seen (`mount_setattr(2)`, MOUNT_ATTR_IDMAP).
pub fn mount_lend(mount: BorrowedFd<'_>, namespace: BorrowedFd<'_>) -> io::Result<()> {
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_IDMAP | libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV,
        attr_clr: 0,
        propagation: 0,
        userns_fd: u64::from(namespace.as_raw_fd().unsigned_abs()),
    };
    set_attributes(mount, libc::AT_EMPTY_PATH, &attributes)
}

fn set_attributes(mount: BorrowedFd<'_>, flags: libc::c_int, attributes: &libc::mount_attr) -> io::Result<()> {
    // SAFETY: the path is an empty NUL-terminated string, the structure is initialised and its true size is passed.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            std::ptr::from_ref(attributes),
            size_of::<libc::mount_attr>(),
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Asks for the destination address of each datagram (`IP_PKTINFO`, `ip(7)`).
pub fn ask_for_destination(socket: BorrowedFd<'_>) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the option's value is a c_int and its size is passed.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            libc::IP_PKTINFO,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    check(result).map(drop)
}

/// A datagram's addresses.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    /// Who sent it.
    pub source: SocketAddrV4,
    /// Where it was sent to.
    pub destination: Ipv4Addr,
}

/// Room for one `in_pktinfo` control message, aligned for `cmsghdr`.
#[repr(C, align(8))]
struct Control([u8; 64]);

/// Receives one IPv4 datagram with its destination (`recvmsg(2)`).
pub fn receive_from(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<(usize, Addresses)> {
    let mut control = Control([0; 64]);
    // SAFETY: every pointer in `message` points to a live buffer of the stated length; control messages are read only
    // through the CMSG macros, within the length that the kernel wrote.
    unsafe {
        let mut source = std::mem::zeroed::<libc::sockaddr_in>();
        let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
        let mut message = std::mem::zeroed::<libc::msghdr>();
        message.msg_name = (&raw mut source).cast();
        message.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.0.as_mut_ptr().cast();
        message.msg_controllen = control.0.len();
        let got = libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC);
        if got < 0 {
            return Err(io::Error::last_os_error());
        }
        let mut destination = Ipv4Addr::UNSPECIFIED;
        let mut header = libc::CMSG_FIRSTHDR(&raw const message);
        while !header.is_null() {
            if (*header).cmsg_level == libc::IPPROTO_IP && (*header).cmsg_type == libc::IP_PKTINFO {
                let info = std::ptr::read_unaligned(libc::CMSG_DATA(header).cast::<libc::in_pktinfo>());
                destination = Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr));
            }
            header = libc::CMSG_NXTHDR(&raw const message, header);
        }
        let source = SocketAddrV4::new(Ipv4Addr::from(u32::from_be(source.sin_addr.s_addr)), u16::from_be(source.sin_port));
        Ok((got.unsigned_abs(), Addresses { source, destination }))
    }
}

/// Answers a datagram from the very address it was sent to, so that a connected client takes it (`sendmsg(2)`).
pub fn send_from(socket: BorrowedFd<'_>, payload: &[u8], to: Addresses) -> io::Result<()> {
    let mut control = Control([0; 64]);
    // SAFETY: as in `receive_from`; the control buffer has room for one in_pktinfo and its length says so.
    unsafe {
        let mut target = std::mem::zeroed::<libc::sockaddr_in>();
        target.sin_family = libc::AF_INET as libc::sa_family_t;
        target.sin_port = to.source.port().to_be();
        target.sin_addr.s_addr = u32::from(*to.source.ip()).to_be();
        let mut part = libc::iovec { iov_base: payload.as_ptr().cast_mut().cast(), iov_len: payload.len() };
        let mut message = std::mem::zeroed::<libc::msghdr>();
        message.msg_name = (&raw mut target).cast();
        message.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.0.as_mut_ptr().cast();
        message.msg_controllen = libc::CMSG_SPACE(size_of::<libc::in_pktinfo>() as u32) as usize;
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        if header.is_null() {
            return Err(io::Error::other("no room for a control message"));
        }
        (*header).cmsg_level = libc::IPPROTO_IP;
        (*header).cmsg_type = libc::IP_PKTINFO;
        (*header).cmsg_len = libc::CMSG_LEN(size_of::<libc::in_pktinfo>() as u32) as usize;
        let info = libc::in_pktinfo {
            ipi_ifindex: 0,
            ipi_spec_dst: libc::in_addr { s_addr: u32::from(to.destination).to_be() },
            ipi_addr: libc::in_addr { s_addr: 0 },
        };
        std::ptr::write_unaligned(libc::CMSG_DATA(header).cast(), info);
        let sent = libc::sendmsg(socket.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT);
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

impl Addresses {
    /// The destination as a socket address on `port`.
    pub fn destination(self, port: u16) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(self.destination), port)
    }
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
