use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// What a client says first (RFC 9113, section 3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Flag of DATA and HEADERS.
pub const END_STREAM: u8 = 0x1;
/// Flag of SETTINGS and PING.
pub const ACK: u8 = 0x1;
/// Flag of HEADERS and CONTINUATION.
pub const END_HEADERS: u8 = 0x4;
/// Flag of DATA and HEADERS.
pub const PADDED: u8 = 0x8;
/// Flag of HEADERS.
pub const PRIORITY: u8 = 0x20;

/// A frame's type (RFC 9113, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the specification's own names")]
pub enum Kind {
    Data,
    Headers,
    Priority,
    RstStream,
    Settings,
    PushPromise,
    Ping,
    GoAway,
    WindowUpdate,
    Continuation,
    Other(u8),
}

/// One frame (RFC 9113, section 4.1). Nothing about it needs to be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The type.
    pub kind: Kind,
    /// All flags.
    pub flags: u8,
    /// The stream, with the reserved bit as its highest.
    pub stream: u32,
    /// What follows the head.
    pub payload: Vec<u8>,
}

impl Frame {
    /// A frame without flags.
    pub fn new(kind: Kind, stream: u32, payload: impl Into<Vec<u8>>) -> Self {
        Self { kind, flags: 0, stream, payload: payload.into() }
    }

    /// With these flags too.
    pub fn with(mut self, flags: u8) -> Self {
        self.flags |= flags;
        self
    }

    /// A whole head, of a request without a body.
    pub fn request(stream: u32, block: impl Into<Vec<u8>>) -> Self {
        Self::new(Kind::Headers, stream, block).with(END_HEADERS | END_STREAM)
    }

    /// A whole head, of a request with a body.
    pub fn request_with_body(stream: u32, block: impl Into<Vec<u8>>) -> Self {
        Self::new(Kind::Headers, stream, block).with(END_HEADERS)
    }

    /// Identifiers and values.
    pub fn settings(settings: &[(u16, u32)]) -> Self {
        let payload = settings.iter().flat_map(|(name, value)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat());
        Self::new(Kind::Settings, 0, payload.collect::<Vec<_>>())
    }

    /// Eight bytes that come back.
    pub fn ping(bytes: [u8; 8]) -> Self {
        Self::new(Kind::Ping, 0, bytes)
    }

    /// The end of a stream, with an error code.
    pub fn reset(stream: u32, code: u32) -> Self {
        Self::new(Kind::RstStream, stream, code.to_be_bytes())
    }

    /// More room for what the other end sends.
    pub fn window_update(stream: u32, increment: u32) -> Self {
        Self::new(Kind::WindowUpdate, stream, increment.to_be_bytes())
    }

    /// As it is sent.
    pub fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).unwrap().to_be_bytes();
        let head = [length[1], length[2], length[3], self.kind.number(), self.flags];
        [&head[..], &self.stream.to_be_bytes(), &self.payload].concat()
    }

    /// Reads the next one. `None` at the end of the stream.
    ///
    /// # Errors
    /// When the stream ends inside a frame, or cannot be read.
    pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Self>> {
        let mut head = [0; 9];
        match stream.read_exact(&mut head).await {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await?;
        let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        Ok(Some(Self { kind: Kind::of(head[3]), flags: head[4], stream: id, payload }))
    }

    /// The error code of RST_STREAM and GOAWAY (RFC 9113, section 7).
    pub fn code(&self) -> Option<u32> {
        let at = match self.kind {
            Kind::RstStream => 0,
            Kind::GoAway => 4,
            _ => return None,
        };
        self.payload.get(at..at + 4).map(|code| u32::from_be_bytes(code.try_into().unwrap()))
    }
}

impl Kind {
    const KNOWN: [Self; 10] = [
        Self::Data,
        Self::Headers,
        Self::Priority,
        Self::RstStream,
        Self::Settings,
        Self::PushPromise,
        Self::Ping,
        Self::GoAway,
        Self::WindowUpdate,
        Self::Continuation,
    ];

    fn number(self) -> u8 {
        match self {
            Self::Other(number) => number,
            known => Self::KNOWN.iter().position(|kind| *kind == known).map_or(0xff, |number| number as u8),
        }
    }

    fn of(number: u8) -> Self {
        Self::KNOWN.get(usize::from(number)).copied().unwrap_or(Self::Other(number))
    }
}

#[cfg(test)]
mod tests {
    use super::{ACK, Frame, Kind};

    #[tokio::test]
    async fn what_is_written_is_read() {
        let frames = [
            Frame::settings(&[(4, 1)]),
            Frame::ping(*b"12345678").with(ACK),
            Frame::reset(3, 8),
            Frame::new(Kind::Other(0x16), 5, "x"),
        ];
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
        assert_eq!(&bytes[..15], [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1]);
        let mut rest = &bytes[..];
        for frame in &frames {
            assert_eq!(Frame::read(&mut rest).await.unwrap().as_ref(), Some(frame));
        }
        assert_eq!(Frame::read(&mut rest).await.unwrap(), None);
        assert_eq!(frames[2].code(), Some(8));
    }
}
