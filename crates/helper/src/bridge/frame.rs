//! One frame: 12 bytes of header (kind, lane, two zero bytes, conversation, length of the body; little-endian), then the body.

use std::io;

/// Bytes of a header.
pub const HEADER: usize = 12;
/// Most bytes of a lane's data in one frame.
pub const CHUNK: usize = 64 << 10;
/// Longest request: as long as the control stream takes.
const LONGEST: usize = 16 << 20;

/// What a frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A request of the session's: begins a conversation.
    Open,
    /// Bytes of a lane, or one message on lane 0.
    Data,
    /// One message on lane 0 that came with a terminal, which is lane 1 from here on.
    DataAndTerminal,
    /// Nothing more comes on this lane.
    End,
    /// Nothing more is taken on this lane.
    Shut,
    /// The body's four bytes say how much more may be sent on this lane.
    Credit,
}

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What it is for.
    pub kind: Kind,
    /// Which lane of the conversation.
    pub lane: usize,
    /// Which conversation.
    pub conversation: u32,
    /// Bytes of the body.
    pub length: usize,
}

impl Header {
    /// As bytes.
    pub fn encode(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[0] = match self.kind {
            Kind::Open => 1,
            Kind::Data => 2,
            Kind::DataAndTerminal => 3,
            Kind::End => 4,
            Kind::Shut => 5,
            Kind::Credit => 6,
        };
        bytes[1] = u8::try_from(self.lane).unwrap_or(u8::MAX);
        bytes[4..8].copy_from_slice(&self.conversation.to_le_bytes());
        bytes[8..12].copy_from_slice(&u32::try_from(self.length).unwrap_or(u32::MAX).to_le_bytes());
        bytes
    }

    /// From the first bytes of `input`; `None` while there are too few.
    ///
    /// # Errors
    /// When they are no header.
    pub fn decode(input: &[u8]) -> io::Result<Option<Self>> {
        let Some(bytes) = input.first_chunk::<HEADER>() else { return Ok(None) };
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "no frame of a bridge");
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let length = number(8) as usize;
        let (kind, most) = match bytes[0] {
            1 => (Kind::Open, LONGEST),
            2 => (Kind::Data, CHUNK),
            3 => (Kind::DataAndTerminal, CHUNK),
            4 => (Kind::End, 0),
            5 => (Kind::Shut, 0),
            6 => (Kind::Credit, 4),
            _other => return Err(bad()),
        };
        if length > most || bytes[2] != 0 || bytes[3] != 0 {
            return Err(bad());
        }
        Ok(Some(Self { kind, lane: usize::from(bytes[1]), conversation: number(4), length }))
    }
}
