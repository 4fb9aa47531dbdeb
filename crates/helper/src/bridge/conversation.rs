//! One request and all that belongs to it.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

use super::lane::{Kind, Lane};

/// Lanes of a conversation: the exec channel, then at most three streams or one terminal.
pub const LANES: usize = 4;

/// One request.
#[derive(Default)]
pub struct Conversation {
    /// Its lanes; 0 is the exec channel.
    pub lanes: [Option<Lane>; LANES],
    /// Messages read here that wait until the bytes that were there before them are sent.
    pub held: VecDeque<Held>,
    /// The program was killed by order: news of that waits for no reader.
    pub hurried: bool,
    /// The other side knows that nothing more comes from the exec channel.
    pub channel_ended: bool,
}

/// A message that waits.
pub struct Held {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether a terminal came with it.
    pub terminal: bool,
    /// How much of each lane must be sent before it.
    after: [u64; LANES],
}

impl Conversation {
    /// A conversation over these lanes.
    pub fn new(lanes: impl IntoIterator<Item = Lane>) -> Self {
        let mut all = Self::default();
        for (place, lane) in all.lanes.iter_mut().zip(lanes) {
            *place = Some(lane);
        }
        all
    }

    /// Takes a message that was read here, with what lies unread on the byte lanes at this moment before it.
    pub fn hold(&mut self, bytes: Vec<u8>, terminal: bool) {
        let after = self.each(|lane| {
            let waiting = lane.source.as_ref().and_then(|source| rustix::io::ioctl_fionread(source).ok());
            lane.sent + waiting.unwrap_or(0)
        });
        self.held.push_back(Held { bytes, terminal, after });
    }

    /// The next message that may be sent.
    pub fn released(&mut self) -> Option<Held> {
        let first = self.held.front()?;
        let ready = self.lanes.iter().zip(first.after).all(|(lane, after)| {
            // A lane that is read no more has brought what it had.
            lane.as_ref().is_none_or(|lane| lane.kind != Kind::Bytes || lane.source.is_none() || lane.sent >= after)
        });
        if ready || self.hurried { self.held.pop_front() } else { None }
    }

    /// What must be written of each lane before a message that comes now.
    pub fn received(&self) -> [u64; LANES] {
        self.each(|lane| lane.received)
    }

    /// Whether the first message that has come may be written.
    pub fn may_deliver(&self) -> bool {
        let Some((first, _)) = self.lanes[0].as_ref().and_then(|lane| lane.pending.first()) else { return false };
        let written = |(lane, after): (&Option<Lane>, u64)| {
            lane.as_ref().is_none_or(|lane| lane.kind != Kind::Bytes || lane.sink.is_none() || lane.written >= after)
        };
        self.hurried || self.lanes.iter().zip(first.after).all(written)
    }

    fn each(&self, count: impl Fn(&Lane) -> u64) -> [u64; LANES] {
        let mut all = [0; LANES];
        for (place, lane) in all.iter_mut().zip(&self.lanes) {
            if let Some(lane) = lane.as_ref().filter(|lane| lane.kind == Kind::Bytes) {
                *place = count(lane);
            }
        }
        all
    }

    /// Makes lane 1 of a terminal.
    pub fn add_terminal(&mut self, terminal: OwnedFd) -> std::io::Result<()> {
        self.lanes[1] = Some(Lane::both(Kind::Terminal, terminal)?);
        Ok(())
    }

    /// Whether nothing is left to do.
    pub fn is_done(&self) -> bool {
        self.held.is_empty() && self.channel_ended && self.lanes.iter().flatten().all(Lane::is_done)
    }
}
