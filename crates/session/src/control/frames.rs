use std::collections::VecDeque;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::{Zeroize as _, Zeroizing};

/// Longest frame, in bytes: longer than any argument vector that Linux takes by default (`execve(2)`: 2 MiB and a bit).
const FRAME_MAX: usize = 4 * 1024 * 1024;
/// Most descriptors beside one message.
const FDS_MAX: usize = 3;

/// Frames and descriptors that have arrived and were not taken yet. The bytes may hold the values of variables: they are
/// zeroed when they are taken, moved or dropped.
#[derive(Default)]
pub(super) struct Inbox {
    bytes: Zeroizing<Vec<u8>>,
    fds: VecDeque<OwnedFd>,
}

/// One message as the bytes to send. They may hold the values of variables.
pub(super) fn encode(message: &impl Serialize) -> io::Result<Zeroizing<Vec<u8>>> {
    let length = postcard::experimental::serialized_size(message).map_err(io::Error::other)?;
    if length > FRAME_MAX {
        return Err(io::Error::new(io::ErrorKind::ArgumentListTooLong, "the request is longer than 4 MiB"));
    }
    // Made in its whole length: a vector that grows leaves its bytes behind.
    let mut frame = Zeroizing::new(vec![0; 4 + length]);
    frame[..4].copy_from_slice(&u32::try_from(length).map_err(io::Error::other)?.to_le_bytes());
    postcard::to_slice(message, &mut frame[4..]).map_err(io::Error::other)?;
    Ok(frame)
}

/// Sends what fits of `bytes`, with `fds` beside the first byte. Returns how many bytes went.
pub(super) fn send(socket: impl AsFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::Error::other("too many descriptors for one message"));
    }
    let sent = rustix::io::retry_on_intr(|| sendmsg(&socket, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::NOSIGNAL))?;
    Ok(sent)
}

impl Inbox {
    /// Takes in one message's worth of bytes and descriptors. Returns `false` at the end of the stream.
    pub fn receive(&mut self, socket: impl AsFd) -> io::Result<bool> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut buffer = [0; 16 * 1024];
        let received = rustix::io::retry_on_intr(|| {
            recvmsg(&socket, &mut [IoSliceMut::new(&mut buffer)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)
        })?;
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(fds) = message {
                self.fds.extend(fds);
            }
        }
        self.keep(&buffer[..received.bytes]);
        buffer.zeroize();
        // A client that sends descriptors without end must not fill our table.
        if self.fds.len() > FDS_MAX {
            return Err(io::Error::other("too many descriptors"));
        }
        Ok(received.bytes > 0)
    }

    fn keep(&mut self, more: &[u8]) {
        let length = self.bytes.len() + more.len();
        if length > self.bytes.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(length.max(2 * self.bytes.capacity())));
            larger.extend_from_slice(&self.bytes);
            self.bytes = larger;
        }
        self.bytes.extend_from_slice(more);
    }

    /// Takes the first bytes away.
    fn discard(&mut self, count: usize) {
        let left = self.bytes.len() - count;
        self.bytes.copy_within(count.., 0);
        self.bytes[left..].zeroize();
        self.bytes.truncate(left);
    }

    /// The next whole message, if one has arrived.
    pub fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        let Some(length) = self.bytes.first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_le_bytes(*length) as usize;
        if length > FRAME_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame of the control protocol is too long"));
        }
        let Some(frame) = self.bytes.get(4..4 + length) else { return Ok(None) };
        let message = postcard::from_bytes(frame).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        self.discard(4 + length);
        Ok(Some(message))
    }

    /// Takes the next descriptor that has arrived.
    pub fn take_fd(&mut self) -> Option<OwnedFd> {
        self.fds.pop_front()
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("bytes", &self.bytes.len()).field("fds", &self.fds).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    use super::{Inbox, encode, send};

    #[test]
    fn messages_survive_any_split_and_carry_descriptors() {
        let (near, far) = UnixStream::pair().unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        let frame = encode(&"x".repeat(50)).unwrap();
        let mut inbox = Inbox::default();
        for (at, byte) in frame.iter().enumerate() {
            let fds = if at == 0 { vec![writer.as_fd()] } else { vec![] };
            assert_eq!(send(&near, std::slice::from_ref(byte), &fds).unwrap(), 1);
            assert_eq!(inbox.next::<String>().unwrap(), None);
            assert!(inbox.receive(&far).unwrap());
        }
        assert_eq!(inbox.next::<String>().unwrap().unwrap(), "x".repeat(50));
        let mut got = std::fs::File::from(inbox.take_fd().unwrap());
        got.write_all(b"!").unwrap();
        drop((got, writer));
        assert_eq!(std::io::read_to_string(reader).unwrap(), "!");
        drop(near);
        assert!(!inbox.receive(&far).unwrap());
    }

    #[test]
    fn messages_behind_each_other_are_taken_in_turn_and_no_debug_shows_them() {
        let (near, far) = UnixStream::pair().unwrap();
        let mut inbox = Inbox::default();
        let second = "x".repeat(40_000);
        for message in ["canary", &second] {
            send(&near, &encode(&message).unwrap(), &[]).unwrap();
        }
        inbox.receive(&far).unwrap();
        let shown = format!("{inbox:?}");
        assert!(shown.starts_with("Inbox { bytes: 1") && shown.len() < 50, "{shown}");
        assert_eq!(inbox.next::<String>().unwrap().unwrap(), "canary");
        while inbox.bytes.len() < 40_000 {
            assert!(inbox.receive(&far).unwrap());
        }
        assert_eq!(inbox.next::<String>().unwrap().unwrap(), second);
        assert!(inbox.bytes.is_empty());
    }

    #[test]
    fn hostile_lengths_and_bytes_are_errors() {
        let (mut near, far) = UnixStream::pair().unwrap();
        let mut inbox = Inbox::default();
        near.write_all(&u32::MAX.to_le_bytes()).unwrap();
        inbox.receive(&far).unwrap();
        assert!(inbox.next::<String>().is_err());
        let mut inbox = Inbox::default();
        near.write_all(b"\x02\0\0\0\xff\xff").unwrap();
        inbox.receive(&far).unwrap();
        assert!(inbox.next::<String>().is_err());
    }

    #[test]
    fn a_flood_of_descriptors_is_an_error() {
        let (near, far) = UnixStream::pair().unwrap();
        let mut inbox = Inbox::default();
        for _ in 0..2 {
            send(&near, b"x", &[near.as_fd(), near.as_fd()]).unwrap();
        }
        assert!(inbox.receive(&far).and_then(|_| inbox.receive(&far)).is_err());
    }
}
