use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http_body::{Body, Frame};

/// The bytes of bodies that are in memory for one bottle: read from one side, not yet written to the other.
///
/// Threat: whoever asks for much, over many streams, and reads none of it. HTTP's own flow control bounds a stream, at the
/// reader's choice (a window of 2 GiB, RFC 9113 §6.9.1), and TCP's a connection; neither bounds their sum. Here a body of
/// which the next piece would be too much is not read, so that its sender has to wait. One piece of each body may pass even
/// then: who reads goes on, though slower, whatever others hold.
pub(crate) struct InFlight {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Of all bodies together.
    bytes: usize,
    bodies: HashMap<u64, Held>,
    /// The bodies that wait, in the order in which they came.
    waiting: BTreeMap<u64, Waker>,
    last: u64,
}

/// What of one body is in memory.
#[derive(Default)]
struct Held {
    bytes: usize,
    /// Its place among those that wait.
    ticket: Option<u64>,
    has_ended: bool,
}

/// One body on its way.
pub(crate) struct Turn {
    in_flight: Arc<InFlight>,
    number: u64,
}

/// A piece of a body, counted until the last view of it is dropped.
struct Counted {
    bytes: Bytes,
    cost: usize,
    in_flight: Arc<InFlight>,
    number: u64,
}

/// What a piece costs beside its bytes. Threat: a body in pieces of one byte.
const PIECE: usize = 512;
/// A smaller piece is copied. Threat: what it is a view of can be far larger, and is not counted: whoever reads from a connection
/// makes room for thousands of bytes, of which a few may come.
const COPIED: usize = 4096;

/// Bytes of a common piece: one record of TLS (RFC 8446 §5.1), or one frame of HTTP/2 (RFC 9113 §4.2).
const COMMON: usize = 16 << 10;

impl InFlight {
    /// `most` is in bytes.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, state: Mutex::default() })
    }

    pub(crate) fn turn(self: &Arc<Self>) -> Turn {
        let mut state = self.state();
        let number = state.next();
        state.bodies.insert(number, Held::default());
        Turn { in_flight: Arc::clone(self), number }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Takes a body out of those that wait: it goes on.
    fn leave(&mut self, number: u64) -> Option<Waker> {
        let ticket = self.bodies.get_mut(&number)?.ticket.take()?;
        self.waiting.remove(&ticket)
    }

    /// Takes out those who have waited longest, as many as there is room for; who is overtaken comes back to the same place. More
    /// than one, because not all whom that wakes go on: a stream's own window may keep them.
    fn take_for_room(&mut self, most: usize) -> Vec<Waker> {
        let count = most.checked_sub(self.bytes).filter(|room| *room > 0).map_or(0, |room| room / COMMON + 1);
        std::iter::from_fn(|| self.waiting.pop_first()).take(count).map(|(_, waker)| waker).collect()
    }

    fn forget_if_over(&mut self, number: u64) {
        if self.bodies.get(&number).is_some_and(|held| held.has_ended && held.bytes == 0) {
            self.bodies.remove(&number);
        }
    }
}

impl Turn {
    /// The next frame of `body`, its data counted, once there is room for it.
    pub(crate) fn poll_frame<B>(&self, body: &mut B, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        if !body.is_end_stream() {
            ready!(self.poll_room(cx));
        }
        let frame = ready!(Pin::new(body).poll_frame(cx));
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(|data| self.counted(data)))))
    }

    fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.in_flight.state();
        let is_full = state.bytes >= self.in_flight.most;
        let ticket = state.next();
        match state.bodies.get_mut(&self.number) {
            Some(held) if is_full && held.bytes > 0 => {
                let ticket = *held.ticket.get_or_insert(ticket);
                state.waiting.insert(ticket, cx.waker().clone());
                Poll::Pending
            }
            Some(_) | None => {
                state.leave(self.number);
                Poll::Ready(())
            }
        }
    }

    fn counted(&self, bytes: Bytes) -> Bytes {
        let bytes = if bytes.len() < COPIED { Bytes::copy_from_slice(&bytes) } else { bytes };
        let cost = bytes.len() + PIECE;
        {
            let mut state = self.in_flight.state();
            state.bytes += cost;
            if let Some(held) = state.bodies.get_mut(&self.number) {
                held.bytes += cost;
            }
        }
        Bytes::from_owner(Counted { bytes, cost, in_flight: Arc::clone(&self.in_flight), number: self.number })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let woken = {
            let mut state = self.in_flight.state();
            state.leave(self.number);
            if let Some(held) = state.bodies.get_mut(&self.number) {
                held.has_ended = true;
            }
            state.forget_if_over(self.number);
            // It may have been the one that was woken.
            state.take_for_room(self.in_flight.most)
        };
        woken.into_iter().for_each(Waker::wake);
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let (own, others) = {
            let mut state = self.in_flight.state();
            state.bytes -= self.cost;
            let is_last = state.bodies.get_mut(&self.number).is_some_and(|held| {
                held.bytes -= self.cost;
                held.bytes == 0
            });
            let own = if is_last { state.leave(self.number) } else { None };
            state.forget_if_over(self.number);
            (own, state.take_for_room(self.in_flight.most))
        };
        own.into_iter().chain(others).for_each(Waker::wake);
    }
}

#[cfg(test)]
#[path = "in_flight_tests.rs"]
mod tests;
