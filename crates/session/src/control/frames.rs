use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longest frame, in bytes: longer than any argument vector that Linux takes by default (`execve(2)`: 2 MiB and a bit).
const FRAME_MAX: usize = 4 * 1024 * 1024;
/// Most descriptors beside one message.
const FDS_MAX: usize = 3;

/// Frames and descriptors that have arrived and were not taken yet.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
    fds: VecDeque<OwnedFd>,
}

/// One message as the bytes to send.
pub(super) fn encode(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let frame = postcard::to_extend(message, vec![0; 4]).map_err(io::Error::other)?;
    let length = frame.len() - 4;
    if length > FRAME_MAX {
        return Err(io::Error::new(io::ErrorKind::ArgumentListTooLong, "the request is longer than 4 MiB"));
    }
    let mut frame = frame;
    frame[..4].copy_from_slice(&u32::try_from(length).map_err(io::Error::other)?.to_le_bytes());
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
        // A client that sends descriptors without end must not fill our table.
        if self.fds.len() > FDS_MAX {
            return Err(io::Error::other("too many descriptors"));
        }
        self.bytes.extend_from_slice(&buffer[..received.bytes]);
        buffer.fill(0);
        Ok(received.bytes > 0)
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
        self.bytes.drain(..4 + length);
        Ok(Some(message))
    }

    /// Takes the next descriptor that has arrived.
    pub fn take_fd(&mut self) -> Option<OwnedFd> {
        self.fds.pop_front()
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
