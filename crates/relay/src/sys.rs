//! The system calls that the standard library does not have. The only `unsafe` of this crate, and its only thread's.
//!
//! Declared by hand from the C library's headers for 64-bit Linux: the relay depends on no crate.

#![allow(unsafe_code, reason = "this file is where the crate's unsafe system calls live; each block says why it is sound")]

mod numbers;

use std::ffi::{c_int, c_long, c_uint, c_ulong, c_void};
use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use numbers::{CALLS, SYS_CAPSET, SYS_SECCOMP, SYS_SOCKET, THIS_ARCHITECTURE};

unsafe extern "C" {
    fn socket(family: c_int, kind: c_int, protocol: c_int) -> c_int;
    fn connect(fd: c_int, address: *const c_void, length: c_uint) -> c_int;
    fn send(fd: c_int, bytes: *const c_void, length: usize, flags: c_int) -> isize;
    fn recv(fd: c_int, bytes: *mut c_void, length: usize, flags: c_int) -> isize;
    fn recvmsg(fd: c_int, message: *mut MessageHeader, flags: c_int) -> isize;
    fn sendmsg(fd: c_int, message: *const MessageHeader, flags: c_int) -> isize;
    fn setsockopt(fd: c_int, level: c_int, name: c_int, value: *const c_void, length: c_uint) -> c_int;
    fn pipe2(fds: *mut c_int, flags: c_int) -> c_int;
    fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
    fn splice(from: c_int, from_at: *mut i64, to: c_int, to_at: *mut i64, length: usize, flags: c_uint) -> isize;
    fn epoll_create1(flags: c_int) -> c_int;
    fn epoll_ctl(epoll: c_int, operation: c_int, fd: c_int, event: *mut Event) -> c_int;
    fn epoll_wait(epoll: c_int, events: *mut Event, most: c_int, timeout: c_int) -> c_int;
    fn prctl(option: c_int, ...) -> c_int;
    fn setgroups(count: usize, groups: *const c_uint) -> c_int;
    fn setresgid(real: c_uint, effective: c_uint, saved: c_uint) -> c_int;
    fn setresuid(real: c_uint, effective: c_uint, saved: c_uint) -> c_int;
    fn getrlimit(resource: c_int, limit: *mut [u64; 2]) -> c_int;
    fn setrlimit(resource: c_int, limit: *const [u64; 2]) -> c_int;
    fn syscall(number: c_long, ...) -> c_long;
}

const AF_UNIX: c_int = 1;
const AF_NETLINK: c_int = 16;
const SOCK_STREAM: c_int = 1;
const SOCK_RAW: c_int = 3;
/// Flags of sockets and pipes: O_CLOEXEC, O_NONBLOCK.
const CLOEXEC: c_int = 0o2_000_000;
const NONBLOCK: c_int = 0o4_000;
const MSG_DONTWAIT: c_int = 0x40;
const MSG_NOSIGNAL: c_int = 0x4000;

/// `struct sockaddr_un`
#[repr(C)]
struct UnixAddress {
    family: u16,
    path: [u8; 108],
}

/// Connects to a Unix socket without waiting (`unix(7)`): a session that does not keep up is an error, not a halt.
pub fn connect_unix(path: &Path) -> io::Result<UnixStream> {
    let mut address = UnixAddress { family: AF_UNIX as u16, path: [0; 108] };
    let bytes = path.as_os_str().as_bytes();
    let Some(room) = address.path.get_mut(..bytes.len()).filter(|_| bytes.len() < 108) else {
        return Err(io::Error::from(io::ErrorKind::InvalidFilename));
    };
    room.copy_from_slice(bytes);
    // SAFETY: socket returns a new descriptor that nobody else owns; the address is initialised and its true size is passed.
    unsafe {
        let stream = UnixStream::from_raw_fd(check(socket(AF_UNIX, SOCK_STREAM | CLOEXEC | NONBLOCK, 0))?);
        check(connect(stream.as_raw_fd(), (&raw const address).cast(), size_of::<UnixAddress>() as c_uint))?;
        Ok(stream)
    }
}

/// Sends one request to the routing socket and gives the first answer (`netlink(7)`).
pub fn routing_request(message: &[u8]) -> io::Result<Vec<u8>> {
    let mut answer = vec![0u8; 1024];
    // SAFETY: the descriptor is new and owned here; both buffers are live and their true lengths are passed.
    let got = unsafe {
        let routing = OwnedFd::from_raw_fd(check(socket(AF_NETLINK, SOCK_RAW | CLOEXEC, 0))?);
        length(send(routing.as_raw_fd(), message.as_ptr().cast(), message.len(), 0))?;
        length(recv(routing.as_raw_fd(), answer.as_mut_ptr().cast(), answer.len(), 0))?
    };
    answer.truncate(got);
    Ok(answer)
}

/// A pipe's two ends, neither of which ever waits. Asks for `room` bytes; the kernel may give less.
pub fn pipe(room: usize) -> io::Result<(OwnedFd, OwnedFd)> {
    const F_SETPIPE_SZ: c_int = 1031;
    let mut fds = [0; 2];
    // SAFETY: the array has room for both descriptors, which nobody else owns.
    unsafe {
        check(pipe2(fds.as_mut_ptr(), CLOEXEC | NONBLOCK))?;
        let (read, write) = (OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1]));
        // Above the share of pipe memory of all relays together it stays at the default, which works as well.
        let _ = fcntl(write.as_raw_fd(), F_SETPIPE_SZ, room as c_int);
        Ok((read, write))
    }
}

/// Moves at most `most` bytes between a pipe and a socket without looking at them (`splice(2)`).
pub fn move_bytes(from: BorrowedFd<'_>, to: BorrowedFd<'_>, most: usize) -> io::Result<usize> {
    const SPLICE_F_MOVE_NONBLOCK: c_uint = 1 | 2;
    let none = std::ptr::null_mut();
    // SAFETY: both descriptors are open for the length of the call; no offsets are passed.
    length(unsafe { splice(from.as_raw_fd(), none, to.as_raw_fd(), none, most, SPLICE_F_MOVE_NONBLOCK) })
}

/// Reads from a socket without waiting.
pub fn receive(from: BorrowedFd<'_>, bytes: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the descriptor is open for the length of the call; the buffer is live and its true length is passed.
    length(unsafe { recv(from.as_raw_fd(), bytes.as_mut_ptr().cast(), bytes.len(), MSG_DONTWAIT) })
}

/// Writes to a socket without waiting.
pub fn send_bytes(to: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: as above.
    length(unsafe { send(to.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), MSG_DONTWAIT | MSG_NOSIGNAL) })
}

/// One thing that happened (`struct epoll_event`, packed on x86-64).
#[derive(Clone, Copy)]
#[cfg_attr(target_arch = "x86_64", repr(C, packed))]
#[cfg_attr(not(target_arch = "x86_64"), repr(C))]
pub struct Event {
    /// What.
    pub flags: u32,
    /// To whom: the number given with [`Epoll::add`].
    pub number: u64,
}

/// Can be read.
pub const READABLE: u32 = 0x1;
/// Can be written.
pub const WRITABLE: u32 = 0x4;
/// Broken, or closed by the other side.
pub const GONE: u32 = 0x8 | 0x10 | 0x2000;
/// Told only when it changes.
pub const ON_CHANGE: u32 = 1 << 31;

/// Waits for many descriptors (`epoll(7)`).
pub struct Epoll(OwnedFd);

impl Epoll {
    /// A new one.
    pub fn new() -> io::Result<Self> {
        // SAFETY: the descriptor is new and nobody else owns it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(check(epoll_create1(CLOEXEC))?) }))
    }

    /// Watches a descriptor until it is closed.
    pub fn add(&self, fd: BorrowedFd<'_>, flags: u32, number: u64) -> io::Result<()> {
        const EPOLL_CTL_ADD: c_int = 1;
        let mut event = Event { flags, number };
        // SAFETY: the event is initialised and outlives the call.
        check(unsafe { epoll_ctl(self.0.as_raw_fd(), EPOLL_CTL_ADD, fd.as_raw_fd(), &raw mut event) }).map(drop)
    }

    /// Waits; gives how many of `events` are filled.
    pub fn wait(&self, events: &mut [Event]) -> io::Result<usize> {
        self.within(events, -1)
    }

    /// The same without waiting.
    pub fn look(&self, events: &mut [Event]) -> io::Result<usize> {
        self.within(events, 0)
    }

    fn within(&self, events: &mut [Event], milliseconds: c_int) -> io::Result<usize> {
        let most = c_int::try_from(events.len()).unwrap_or(c_int::MAX);
        loop {
            // SAFETY: the slice is live and its true length is passed.
            match check(unsafe { epoll_wait(self.0.as_raw_fd(), events.as_mut_ptr(), most, milliseconds) }) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                waited => return waited.map(|count| count as usize),
            }
        }
    }
}

/// A datagram's addresses.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    /// Who sent it.
    pub source: SocketAddrV4,
    /// Where it was sent to.
    pub destination: SocketAddrV4,
}

/// `struct iovec`
#[repr(C)]
struct Part {
    base: *mut c_void,
    length: usize,
}

/// `struct sockaddr_in`; port and address as they stand in memory, most significant byte first.
#[repr(C)]
struct InternetAddress {
    family: u16,
    port: [u8; 2],
    address: [u8; 4],
    zero: [u8; 8],
}

/// `struct msghdr`
#[repr(C)]
struct MessageHeader {
    name: *mut c_void,
    name_length: c_uint,
    parts: *mut Part,
    part_count: usize,
    control: *mut c_void,
    control_length: usize,
    flags: c_int,
}

/// `struct cmsghdr` with one `struct in_pktinfo`, and nothing after it.
#[repr(C)]
struct PacketInfo {
    length: usize,
    level: c_int,
    kind: c_int,
    interface: c_int,
    local: [u8; 4],
    address: [u8; 4],
}

const IPPROTO_IP: c_int = 0;
const IP_PKTINFO: c_int = 8;
const AF_INET: u16 = 2;
/// Without the padding at the structure's end.
const PACKET_INFO_LENGTH: usize = 16 + 12;

/// Asks for the destination address of each datagram (`ip(7)`, IP_PKTINFO).
pub fn ask_for_destination(socket: &UdpSocket) -> io::Result<()> {
    let on: c_int = 1;
    // SAFETY: the option's value is a c_int and its size is passed.
    check(unsafe { setsockopt(socket.as_raw_fd(), IPPROTO_IP, IP_PKTINFO, (&raw const on).cast(), size_of::<c_int>() as c_uint) })
        .map(drop)
}

/// Has the kernel keep no more than 208 KiB in each direction for every connection to a listener, which inherits it (`socket(7)`: it
/// takes twice as much, for its own needs). Threat: connections that are filled and not read, each up to 4 MiB (`tcp_wmem`).
pub fn keep_little(listener: &TcpListener) -> io::Result<()> {
    const SOL_SOCKET: c_int = 1;
    const SO_SNDBUF: c_int = 7;
    const SO_RCVBUF: c_int = 8;
    let kept: c_int = 208 << 10;
    for direction in [SO_SNDBUF, SO_RCVBUF] {
        let (value, length) = ((&raw const kept).cast(), size_of::<c_int>() as c_uint);
        // SAFETY: the option's value is a c_int and its size is passed.
        check(unsafe { setsockopt(listener.as_raw_fd(), SOL_SOCKET, direction, value, length) })?;
    }
    Ok(())
}

/// Receives one datagram, sent to `port`, with its addresses (`recvmsg(2)`).
pub fn receive_from(socket: &UdpSocket, buffer: &mut [u8], port: u16) -> io::Result<(usize, Addresses)> {
    // SAFETY: all of the structures are plain numbers and pointers, for which zero is a value; every pointer in the message points
    // to a live buffer whose true length is passed.
    unsafe {
        let mut source = zeroed::<InternetAddress>();
        let mut info = zeroed::<PacketInfo>();
        let mut part = Part { base: buffer.as_mut_ptr().cast(), length: buffer.len() };
        let mut message = zeroed::<MessageHeader>();
        message.name = (&raw mut source).cast();
        message.name_length = size_of::<InternetAddress>() as c_uint;
        message.parts = &raw mut part;
        message.part_count = 1;
        message.control = (&raw mut info).cast();
        message.control_length = size_of::<PacketInfo>();
        let got = length(recvmsg(socket.as_raw_fd(), &raw mut message, MSG_DONTWAIT | CLOEXEC))?;
        if message.control_length < PACKET_INFO_LENGTH || (info.level, info.kind) != (IPPROTO_IP, IP_PKTINFO) {
            return Err(io::Error::other("a datagram without its destination"));
        }
        let source = SocketAddrV4::new(Ipv4Addr::from(source.address), u16::from_be_bytes(source.port));
        Ok((got, Addresses { source, destination: SocketAddrV4::new(Ipv4Addr::from(info.address), port) }))
    }
}

/// Answers a datagram from the very address it was sent to, so that a connected client takes it (`sendmsg(2)`).
pub fn send_from(socket: &UdpSocket, payload: &[u8], to: Addresses) -> io::Result<()> {
    // SAFETY: as in `receive_from`; the payload is only read.
    unsafe {
        let mut target = zeroed::<InternetAddress>();
        target.family = AF_INET;
        target.port = to.source.port().to_be_bytes();
        target.address = to.source.ip().octets();
        let mut info = zeroed::<PacketInfo>();
        info.length = PACKET_INFO_LENGTH;
        info.level = IPPROTO_IP;
        info.kind = IP_PKTINFO;
        info.local = to.destination.ip().octets();
        let mut part = Part { base: payload.as_ptr().cast_mut().cast(), length: payload.len() };
        let mut message = zeroed::<MessageHeader>();
        message.name = (&raw mut target).cast();
        message.name_length = size_of::<InternetAddress>() as c_uint;
        message.parts = &raw mut part;
        message.part_count = 1;
        message.control = (&raw mut info).cast();
        message.control_length = size_of::<PacketInfo>();
        length(sendmsg(socket.as_raw_fd(), &raw const message, MSG_NOSIGNAL | MSG_DONTWAIT)).map(drop)
    }
}

impl Addresses {
    /// Both as socket addresses.
    pub fn pair(self) -> (SocketAddr, SocketAddr) {
        let general = |address: SocketAddrV4| SocketAddr::new(IpAddr::V4(*address.ip()), address.port());
        (general(self.source), general(self.destination))
    }
}

/// Allows as many descriptors as the container does, and gives how many that are.
pub fn raise_descriptor_limit() -> io::Result<u64> {
    const RLIMIT_NOFILE: c_int = 7;
    let mut limit = [0u64; 2];
    // SAFETY: the structure is two numbers, the present limit and the most that this process may raise it to.
    unsafe {
        check(getrlimit(RLIMIT_NOFILE, &raw mut limit))?;
        limit[0] = limit[1];
        check(setrlimit(RLIMIT_NOFILE, &raw const limit))?;
    }
    Ok(limit[0])
}

/// PR_SET_NO_NEW_PRIVS
pub fn no_new_privileges() -> io::Result<()> {
    // SAFETY: changes an attribute of this process.
    check(unsafe { prctl(38, 1 as c_ulong, 0 as c_ulong, 0 as c_ulong, 0 as c_ulong) }).map(drop)
}

/// PR_CAPBSET_DROP for every capability that there is.
pub fn empty_bounding_set() -> io::Result<()> {
    for capability in 0..64 as c_ulong {
        // SAFETY: changes an attribute of this process.
        match check(unsafe { prctl(24, capability, 0 as c_ulong, 0 as c_ulong, 0 as c_ulong) }) {
            Ok(_) => {}
            // EINVAL: past the last one that this kernel knows.
            Err(error) if error.raw_os_error() == Some(22) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Becomes a user and group without any others.
pub fn become_user(id: u32) -> io::Result<()> {
    // SAFETY: changes credentials of this process, which has one thread; no group is pointed to.
    unsafe {
        check(setgroups(0, std::ptr::null()))?;
        check(setresgid(id, id, id))?;
        check(setresuid(id, id, id)).map(drop)
    }
}

/// Empties all three sets (`capset(2)`, version 3).
pub fn drop_capabilities() -> io::Result<()> {
    let header: [u32; 2] = [0x2008_0522, 0];
    let sets = [0u32; 6];
    // SAFETY: both structures have the layout of version 3 and are only read.
    let result = unsafe { syscall(SYS_CAPSET, &raw const header, &raw const sets) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// PR_SET_DUMPABLE 0: no `/proc/PID/mem`, no ptrace, no core.
pub fn close_to_tracing() -> io::Result<()> {
    // SAFETY: changes an attribute of this process.
    check(unsafe { prctl(4, 0 as c_ulong, 0 as c_ulong, 0 as c_ulong, 0 as c_ulong) }).map(drop)
}

/// `struct sock_filter`
#[repr(C)]
struct Instruction {
    code: u16,
    if_true: u8,
    if_false: u8,
    value: u32,
}

/// Leaves this process the calls that it makes, and sockets of the Unix kind alone (`seccomp(2)`); all else fails with EPERM.
pub fn confine() -> io::Result<()> {
    const LOAD: u16 = 0x20;
    const EQUALS: u16 = 0x15;
    const RETURN: u16 = 0x06;
    const ALLOW: u32 = 0x7fff_0000;
    const REFUSE: u32 = 0x0005_0001;
    const KILL: u32 = 0x8000_0000;
    // Offsets in `struct seccomp_data`.
    const NUMBER: u32 = 0;
    const ARCHITECTURE: u32 = 4;
    const FIRST_ARGUMENT: u32 = 16;
    let one = |code, if_true, if_false, value| Instruction { code, if_true, if_false, value };
    let mut filter = vec![
        one(LOAD, 0, 0, ARCHITECTURE),
        one(EQUALS, 1, 0, THIS_ARCHITECTURE),
        one(RETURN, 0, 0, KILL),
        one(LOAD, 0, 0, NUMBER),
    ];
    for call in CALLS {
        filter.extend([one(EQUALS, 0, 1, *call), one(RETURN, 0, 0, ALLOW)]);
    }
    filter.extend([
        one(EQUALS, 0, 2, SYS_SOCKET),
        one(LOAD, 0, 0, FIRST_ARGUMENT),
        one(EQUALS, 1, 0, AF_UNIX as u32),
        one(RETURN, 0, 0, REFUSE),
        one(RETURN, 0, 0, ALLOW),
    ]);
    /// `struct sock_fprog`
    #[repr(C)]
    struct Program {
        length: u16,
        filter: *const Instruction,
    }
    let program = Program { length: filter.len() as u16, filter: filter.as_ptr() };
    const SECCOMP_SET_MODE_FILTER: c_ulong = 1;
    // SAFETY: the program points to a live filter whose true length is passed; the kernel copies it.
    let result = unsafe { syscall(SYS_SECCOMP, SECCOMP_SET_MODE_FILTER, 0 as c_ulong, &raw const program) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn length(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}
