use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http_body::{Body, Frame};

/// The bytes of bodies that are in memory for one bottle: read from one side, not yet written to the other.
///
/// Threat: whoever asks for much, over many streams, and reads none of it. HTTP's own flow control bounds a stream, at the
/// reader's choice (a window of 2 GiB, RFC 9113 §6.9.1), and TCP's a connection; neither bounds their sum. Here a body of
/// which the next piece would be too much is not read, so that its sender has to wait. One piece each may pass for every
/// connection and direction even then: who reads goes on, though slower, whatever others hold.
pub(crate) struct InFlight {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bytes: usize,
    /// Bodies that wait, by passage.
    waiting: BTreeMap<(u64, u64), Waker>,
    last: u64,
}

/// One direction of one connection.
pub(crate) struct Passage {
    in_flight: Arc<InFlight>,
    number: u64,
    /// Changed under the lock of `in_flight` alone.
    held: AtomicUsize,
}

/// One body's part in a passage.
pub(crate) struct Turn {
    passage: Arc<Passage>,
    number: u64,
}

/// A piece of a body, counted until the last view of it is dropped.
struct Counted {
    bytes: Bytes,
    passage: Arc<Passage>,
}

/// What a piece costs beside its bytes. Threat: a body in pieces of one byte.
const PIECE: usize = 512;

impl InFlight {
    /// `most` is in bytes.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, state: Mutex::default() })
    }

    pub(crate) fn passage(self: &Arc<Self>) -> Arc<Passage> {
        let number = self.state().next();
        Arc::new(Passage { in_flight: Arc::clone(self), number, held: AtomicUsize::new(0) })
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

    /// Those who wait in one passage; they wait no more.
    fn take(&mut self, passage: u64) -> BTreeMap<(u64, u64), Waker> {
        let mut taken = self.waiting.split_off(&(passage, 0));
        self.waiting.append(&mut taken.split_off(&(passage + 1, 0)));
        taken
    }
}

impl Passage {
    pub(crate) fn turn(self: &Arc<Self>) -> Turn {
        Turn { passage: Arc::clone(self), number: self.in_flight.state().next() }
    }

    fn give_back(&self, count: usize) {
        let woken = {
            let mut state = self.in_flight.state();
            state.bytes -= count;
            let held = self.held.fetch_sub(count, Ordering::Relaxed) - count;
            // Together, once there is room for many pieces: not for each piece anew.
            let is_room = state.bytes <= self.in_flight.most / 4 * 3;
            match (state.waiting.is_empty(), is_room, held) {
                (false, true, _) => std::mem::take(&mut state.waiting),
                (false, false, 0) => state.take(self.number),
                (true, _, _) | (false, false, 1..) => return,
            }
        };
        woken.into_values().for_each(Waker::wake);
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
        let Passage { in_flight, number, held } = &*self.passage;
        let mut state = in_flight.state();
        if state.bytes < in_flight.most || held.load(Ordering::Relaxed) == 0 {
            return Poll::Ready(());
        }
        state.waiting.entry((*number, self.number)).or_insert_with(|| cx.waker().clone()).clone_from(cx.waker());
        Poll::Pending
    }

    fn counted(&self, bytes: Bytes) -> Bytes {
        let counted = Counted { bytes, passage: Arc::clone(&self.passage) };
        {
            let mut state = self.passage.in_flight.state();
            state.bytes += counted.cost();
            self.passage.held.fetch_add(counted.cost(), Ordering::Relaxed);
        }
        Bytes::from_owner(counted)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.passage.in_flight.state().waiting.remove(&(self.passage.number, self.number));
    }
}

impl Counted {
    fn cost(&self) -> usize {
        self.bytes.len() + PIECE
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.passage.give_back(self.cost());
    }
}

#[cfg(test)]
#[path = "in_flight_tests.rs"]
mod tests;
