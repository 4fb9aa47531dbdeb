//! What the session and the helper say to each other.
//!
//! Two kinds of connection, both Unix sockets that only these two ever hold:
//! - the *control* stream, one for a bottle: frames of a little-endian `u32` length and a postcard body, file descriptors
//!   attached to the length (`unix(7)`, SCM_RIGHTS);
//! - an *exec* channel for each running program: one packet (`SOCK_SEQPACKET`) is one message.
//!
//! Whatever runs in the bottle never gets hold of either: they are close-on-exec in a helper that cannot be traced.

use std::ffi::OsStr;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A path or an argument: any bytes but NUL.
pub type Bytes = Vec<u8>;

/// Most descriptors in one message: the pidfd and the listeners of a new bottle are the most there are.
const MAX_FDS: usize = 32;
/// Longest control frame: Linux takes at most 6 MiB of arguments and environment (`execve(2)`, three quarters of `_STK_LIM`).
const MAX_FRAME: usize = 16 << 20;
/// Longest packet on an exec channel.
const MAX_PACKET: usize = 8192;
/// Longest reason in one, in characters of at most four bytes.
const LONGEST_REASON: usize = 1024;

/// What the helper needs to make the bottle.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Setup {
    /// Host name of the bottle.
    pub name: String,
    /// How host ids are mapped.
    pub ids: Ids,
    /// Root file system: `None` for the host's system folders.
    pub image: Option<HostFile>,
    /// What of the host is visible, read-only, at the same path.
    pub tools: Vec<HostFile>,
    /// Size of the private layer in bytes; half of the memory when `None` (`tmpfs(5)`).
    pub disk: Option<u64>,
}

/// A place of the host that was looked at, for a helper that opens it again in its own mount namespace. The session holds it
/// open meanwhile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HostFile {
    /// Its absolute path, no link in it.
    pub path: Bytes,
    /// Which file it is: `st_dev` and `st_ino` of `stat(2)`.
    pub id: (u64, u64),
}

impl HostFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.path))
    }
}

/// How the ids of the bottle are mapped to the host's (`user_namespaces(7)`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ids {
    /// The session writes the map: the bottle's 0 and 1000 are two different host ids.
    Mapped,
    /// Only the person's own id can be mapped. The bottle's 0 is that id; `node` runs in a user namespace below, where the
    /// same id is called 1000.
    Single {
        /// The person's user id on the host.
        uid: u32,
        /// The person's group id on the host.
        gid: u32,
    },
}

/// From the session to the helper.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// The first message: make the namespaces, with ids mapped so.
    Enter(Ids),
    /// The id maps are written: go on.
    Mapped,
    /// Make the bottle.
    Setup(Setup),
    /// Run a program. Descriptors: exec channel, then stdin, stdout, stderr unless on a terminal.
    Spawn(Spawn),
    /// Unpack a tar stream. Descriptors: exec channel, the stream.
    Unpack(Unpack),
    /// Pack a file or folder. Descriptors: exec channel, the stream.
    Pack {
        /// What to pack.
        from: Bytes,
    },
}

/// A program to run.
#[derive(Serialize, Deserialize)]
pub struct Spawn {
    /// Program and arguments.
    pub argv: Vec<Bytes>,
    /// The whole environment, as `NAME=value`.
    pub env: Vec<Bytes>,
    /// Working folder.
    pub folder: Bytes,
    /// Whether it runs as the bottle's root; otherwise as `node`.
    pub root: bool,
    /// Rows and columns when it gets a terminal of its own.
    pub terminal: Option<(u16, u16)>,
    /// Milliseconds after which it is killed with everything it has started.
    pub deadline: Option<u64>,
}

impl std::fmt::Debug for Spawn {
    /// Leaves the environment out: its values may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spawn").field("argv", &self.argv).finish_non_exhaustive()
    }
}

/// Members of a tree to unpack: entry `i` of the stream goes to `into[i]`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Unpack {
    /// Where each member goes.
    pub into: Vec<Bytes>,
    /// Whether the result belongs to the bottle's root; otherwise to `node`.
    pub root: bool,
}

/// From the helper to the session, while it makes the bottle.
#[derive(Debug, Serialize, Deserialize)]
pub enum Progress {
    /// The user namespace exists; write its id maps. Descriptor: none.
    Unshared,
    /// The bottle is ready. Descriptors: pidfd of its PID 1, then the listeners in this order.
    Ready {
        /// TCP ports of the listeners, then the UDP port.
        ports: Vec<u16>,
        /// Facts for the person, such as that Landlock is not there.
        remarks: Vec<String>,
    },
    /// It could not be made.
    Failed {
        /// What was being done.
        step: String,
        /// Error number (`errno(3)`), 0 when the reason says it all.
        errno: i32,
        /// Why.
        reason: String,
    },
}

/// From the session to the process that watches over one exec.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToExec {
    /// Send this signal to the program and its process group.
    Signal(u8),
    /// Give the program's terminal this many rows and columns.
    Resize(u16, u16),
    /// Kill the program and everything it has started.
    KillTree,
    /// (Unpack) the stream was complete: put everything in place.
    Commit,
}

/// From the process that watches over one exec to the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromExec {
    /// The program runs. Descriptor: the caller's side of its terminal, if it has one.
    Started,
    /// It could not be started.
    NotStarted {
        /// Which step failed.
        step: StartStep,
        /// Error number (`errno(3)`).
        errno: i32,
    },
    /// It ended by itself.
    Exited(u8),
    /// A signal ended it.
    Killed(u8),
    /// Its deadline passed, and everything it had started was killed.
    DeadlinePassed,
    /// (Pack, Unpack) done.
    Done,
    /// (Pack, Unpack) failed; nothing was replaced.
    Failed {
        /// Which member, for Unpack.
        member: Option<u32>,
        /// Why.
        reason: String,
    },
}

/// The steps between fork and execve that can fail for reasons of the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StartStep {
    /// Making the process or its terminal, changing user, installing the filter.
    Prepare,
    /// Entering the working folder.
    Folder,
    /// Finding or executing the program.
    Execute,
}

impl FromExec {
    /// A failed copy; the reason is cut so that it fits a packet, whatever names the agent has made up.
    pub fn failed(member: Option<usize>, reason: &str) -> Self {
        let reason = reason.chars().take(LONGEST_REASON).collect();
        Self::Failed { member: member.and_then(|number| u32::try_from(number).ok()), reason }
    }
}

/// Sends one control frame with descriptors. One that is too long is refused before a byte of it is sent.
pub fn send_frame<T: Serialize>(socket: BorrowedFd<'_>, message: &T, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let body = encode(message)?;
    if body.len() > MAX_FRAME {
        return Err(io::Error::from(io::ErrorKind::ArgumentListTooLong));
    }
    let length = u32::try_from(body.len()).map_err(|_| io::Error::other("message too long"))?.to_le_bytes();
    let mut rest = [&length[..], &body[..]].concat();
    let sent = send_with_fds(socket, &rest, fds)?;
    rest.drain(..sent);
    let mut at = 0;
    while at < rest.len() {
        at += rustix::io::retry_on_intr(|| rustix::net::send(socket, &rest[at..], SendFlags::NOSIGNAL))?;
    }
    Ok(())
}

/// Receives one control frame; `None` when the other side is gone.
pub fn receive_frame<T: DeserializeOwned>(socket: BorrowedFd<'_>) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut head = [0u8; 4];
    let (mut got, mut fds) = receive_with_fds(socket, &mut head)?;
    if got == 0 {
        return Ok(None);
    }
    while got < head.len() {
        got += read_some(socket, &mut head[got..])?;
    }
    let length = u32::from_le_bytes(head) as usize;
    if length > MAX_FRAME {
        return Err(io::Error::other("message too long"));
    }
    let mut body = vec![0; length];
    let mut at = 0;
    while at < length {
        let (got, more) = receive_with_fds(socket, &mut body[at..])?;
        if got == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        at += got;
        fds.extend(more);
    }
    Ok(Some((decode(&body)?, fds)))
}

fn read_some(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    match rustix::io::retry_on_intr(|| rustix::io::read(socket, &mut *buffer))? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        got => Ok(got),
    }
}

/// Sends one packet on an exec channel.
pub fn send_packet<T: Serialize>(channel: BorrowedFd<'_>, message: &T, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    send_with_fds(channel, &encode(message)?, fds).map(drop)
}

/// Receives one packet from an exec channel; `None` when the other side is gone. Fails with `WouldBlock` on a non-blocking one.
pub fn receive_packet<T: DeserializeOwned>(channel: BorrowedFd<'_>) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut packet = [0u8; MAX_PACKET];
    match receive_with_fds(channel, &mut packet)? {
        (0, _) => Ok(None),
        (length, fds) => Ok(Some((decode(&packet[..length])?, fds))),
    }
}

/// A packet as it is, for whoever only passes it on; `None` when the other side is gone.
pub fn receive_raw(channel: BorrowedFd<'_>) -> io::Result<Option<(Bytes, Vec<OwnedFd>)>> {
    let mut packet = [0u8; MAX_PACKET];
    match receive_with_fds(channel, &mut packet)? {
        (0, _) => Ok(None),
        (length, fds) => Ok(Some((packet[..length].to_vec(), fds))),
    }
}

/// Sends a packet as it is.
pub fn send_raw(channel: BorrowedFd<'_>, packet: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    send_with_fds(channel, packet, fds).map(drop)
}

/// A message as bytes.
pub fn encode<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    postcard::to_stdvec(message).map_err(io::Error::other)
}

/// A message from bytes.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    postcard::from_bytes(bytes).map_err(io::Error::other)
}

fn send_with_fds(socket: BorrowedFd<'_>, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::Error::other("too many descriptors"));
    }
    let sent = rustix::io::retry_on_intr(|| sendmsg(socket, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::NOSIGNAL))?;
    Ok(sent)
}

fn receive_with_fds(socket: BorrowedFd<'_>, bytes: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let got =
        rustix::io::retry_on_intr(|| recvmsg(socket, &mut [IoSliceMut::new(bytes)], &mut ancillary, RecvFlags::CMSG_CLOEXEC))?;
    let mut fds = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    // Without a descriptor that was sent nobody can be answered: there were too many, or no number is left for one (`unix(7)`).
    if got.flags.contains(ReturnFlags::CTRUNC) {
        return Err(io::Error::other("a descriptor was lost"));
    }
    Ok((got.bytes, fds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    use std::os::fd::AsFd;

    #[test]
    fn frames_carry_large_messages_and_descriptors() {
        let (a, b) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
        let spawn = Spawn {
            argv: vec![vec![b'x'; 1 << 20]],
            env: vec![b"KEY=canary".to_vec()],
            folder: b"/".to_vec(),
            root: false,
            terminal: None,
            deadline: None,
        };
        assert!(!format!("{spawn:?}").contains("canary") && !format!("{:?}", Request::Spawn(spawn)).contains("KEY"));
        let sender = std::thread::spawn(move || {
            let (reader, writer) = rustix::pipe::pipe().unwrap();
            send_frame(a.as_fd(), &vec![7u8; 3 << 20], &[reader.as_fd()]).unwrap();
            rustix::io::write(&writer, b"through").unwrap();
        });
        let (body, fds) = receive_frame::<Vec<u8>>(b.as_fd()).unwrap().unwrap();
        sender.join().unwrap();
        assert_eq!(body.len(), 3 << 20);
        let mut text = [0; 16];
        let got = rustix::io::read(&fds[0], &mut text).unwrap();
        assert_eq!(&text[..got], b"through");
        assert!(receive_frame::<Vec<u8>>(b.as_fd()).unwrap().is_none());
    }
}
