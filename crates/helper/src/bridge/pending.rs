//! What has come for a lane and waits to be written.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

/// A queue of chunks; on a lane of messages one chunk is one message.
#[derive(Default)]
pub struct Pending {
    chunks: VecDeque<Chunk>,
    /// Bytes of the first chunk that are written already.
    at: usize,
    length: usize,
}

/// One of them.
pub struct Chunk {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// A terminal that goes with the message.
    pub terminal: Option<OwnedFd>,
    /// How much of every other lane must have been written before it; messages only.
    pub after: [u64; super::conversation::LANES],
}

impl Pending {
    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing waits. A message may be empty.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Adds one.
    pub fn push(&mut self, chunk: Chunk) {
        self.length += chunk.bytes.len();
        self.chunks.push_back(chunk);
    }

    /// The first one and what of it is still to be written.
    pub fn first(&self) -> Option<(&Chunk, &[u8])> {
        self.chunks.front().map(|chunk| (chunk, chunk.bytes.get(self.at..).unwrap_or_default()))
    }

    /// Notes that `count` bytes of the first chunk are written.
    pub fn written(&mut self, count: usize) {
        self.at += count;
        self.length = self.length.saturating_sub(count);
        if self.chunks.front().is_some_and(|chunk| self.at >= chunk.bytes.len()) {
            self.chunks.pop_front();
            self.at = 0;
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}
