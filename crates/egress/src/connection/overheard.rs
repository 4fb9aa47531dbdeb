use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream on which our HTTP/2 server speaks, with somebody who is told when it gives up a stream or the connection for a fault
/// of the client's. The library answers what is malformed by itself, with an error and no word to us; what nobody records would
/// be refused by accident.
pub(super) struct Overheard<S, F> {
    inner: S,
    frames: Frames,
    tell: F,
}

/// What the client did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Frames, a header block or a request that break the protocol.
    Malformed,
    /// A head above the limit.
    TooLarge,
    /// Too many streams opened and reset, or too many errors.
    TooMuch,
}

impl<S, F> Overheard<S, F> {
    pub(super) fn new(inner: S, tell: F) -> Self {
        Self { inner, frames: Frames::default(), tell }
    }
}

impl<S: AsyncRead + Unpin, F: Unpin> AsyncRead for Overheard<S, F> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin, F: Fn(Fault) + Unpin> AsyncWrite for Overheard<S, F> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, buf))?;
        let Self { frames, tell, .. } = &mut *self;
        frames.feed(&buf[..written], tell);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write_vectored(cx, bufs))?;
        let Self { frames, tell, .. } = &mut *self;
        let mut left = written;
        for buf in bufs {
            let part = left.min(buf.len());
            frames.feed(&buf[..part], tell);
            left -= part;
        }
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

/// Follows the frames (RFC 9113 §4.1) that a server writes, however they are cut.
#[derive(Debug, Default)]
struct Frames {
    /// The header of the present frame, and of the frames that matter the first bytes of their payload.
    start: Vec<u8>,
    /// Bytes of payload that are passed over.
    skip: usize,
}

const HEADER: usize = 9;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
/// The head of an answer that is a status of 431 and nothing else, as the library writes the first one on a connection: a literal
/// with the eighth name of the static table and a Huffman-coded value (RFC 7541 §6.2.1). It says so of a head above the limit.
const BARE_431: [u8; 5] = [0x48, 0x83, 0x69, 0x90, 0xff];

impl Frames {
    fn feed(&mut self, mut bytes: &[u8], tell: &impl Fn(Fault)) {
        while !bytes.is_empty() {
            if self.skip > 0 {
                let passed = self.skip.min(bytes.len());
                self.skip -= passed;
                bytes = &bytes[passed..];
                continue;
            }
            let taken = (self.wanted() - self.start.len()).min(bytes.len());
            self.start.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if self.start.len() == self.wanted() {
                self.judge(tell);
            }
        }
    }

    /// How much of the present frame is looked at.
    fn wanted(&self) -> usize {
        if self.start.len() < HEADER {
            return HEADER;
        }
        HEADER
            + match (self.start[3], self.length()) {
                (HEADERS, 5) if self.start[4] & END_STREAM != 0 => BARE_431.len(),
                (RST_STREAM, length) => length.min(4),
                (GOAWAY, length) => length.min(8),
                _ => 0,
            }
    }

    fn length(&self) -> usize {
        self.start.first_chunk::<3>().map_or(0, |[a, b, c]| usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c))
    }

    fn judge(&mut self, tell: &impl Fn(Fault)) {
        let payload = &self.start[HEADER..];
        let fault = match self.start[3] {
            HEADERS if payload == BARE_431 => Some(Fault::TooLarge),
            RST_STREAM => fault(number(payload)),
            GOAWAY => payload.get(4..).map(number).and_then(fault),
            _ => None,
        };
        if let Some(fault) = fault {
            tell(fault);
        }
        self.skip = HEADER + self.length() - self.start.len();
        self.start.clear();
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

/// What an error (RFC 9113 §7) says of the client. Errors of ours and of the other end's, and streams that were refused before they
/// were begun (which a client may send again), are no fault.
fn fault(error: u32) -> Option<Fault> {
    match error {
        // PROTOCOL_ERROR, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, COMPRESSION_ERROR.
        1 | 3 | 6 | 9 => Some(Fault::Malformed),
        // ENHANCE_YOUR_CALM.
        11 => Some(Fault::TooMuch),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::{Fault, Frames};

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags], &1u32.to_be_bytes(), payload].concat()
    }

    fn heard(bytes: &[u8], piece: usize) -> Vec<Fault> {
        let (mut frames, told) = (Frames::default(), RefCell::new(Vec::new()));
        for piece in bytes.chunks(piece) {
            frames.feed(piece, &|fault| told.borrow_mut().push(fault));
        }
        told.into_inner()
    }

    #[test]
    fn errors_are_heard_however_the_frames_are_cut() {
        let reset = |error: u32| frame(3, 0, &error.to_be_bytes());
        let said = [
            frame(4, 0, &[0; 12]),
            frame(1, 4, b"answer"),
            frame(1, 4, &super::BARE_431),
            frame(1, 5, b"12345"),
            frame(0, 1, &[3; 3000]),
            reset(0),
            reset(1),
            reset(7),
            frame(1, 5, &super::BARE_431),
            reset(7),
            reset(8),
            frame(7, 0, &[0, 0, 0, 9, 0, 0, 0, 0]),
            frame(7, 0, &[0, 0, 0, 9, 0, 0, 0, 11, b'm', b'u', b'c', b'h']),
            frame(0, 1, b""),
            frame(7, 0, &[0, 0, 0, 9, 0, 0, 0, 9]),
        ]
        .concat();
        for piece in [1, 2, 7, 100, said.len()] {
            assert_eq!(heard(&said, piece), [Fault::Malformed, Fault::TooLarge, Fault::TooMuch, Fault::Malformed], "{piece}");
        }
        assert_eq!(heard(&frame(3, 1, b""), 1), []);
        assert_eq!(heard(&frame(7, 0, b"\0\0"), 1), []);
    }
}
