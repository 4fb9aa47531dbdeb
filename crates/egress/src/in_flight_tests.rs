use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body_util::Full;

use super::{COPIED, InFlight, PIECE, Turn};

const LENGTH: usize = 10_000;

/// A body of pieces, as it passes.
struct Passing(Turn);

impl Passing {
    fn of(in_flight: &Arc<InFlight>) -> Self {
        Self(in_flight.turn())
    }

    async fn piece(&self, length: usize) -> Bytes {
        self.view(vec![7; length].into()).await
    }

    async fn view(&self, bytes: Bytes) -> Bytes {
        let mut body = Full::new(bytes);
        let frame = std::future::poll_fn(|cx| self.0.poll_frame(&mut body, cx)).await.unwrap();
        frame.unwrap_or_else(|never: Infallible| match never {}).into_data().unwrap()
    }
}

/// What `future` gives at once.
fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

fn bytes(in_flight: &InFlight) -> usize {
    in_flight.state().bytes
}

fn waiting(in_flight: &InFlight) -> usize {
    in_flight.state().waiting.len()
}

#[test]
fn above_the_bound_one_piece_of_each_body_may_pass() {
    let in_flight = InFlight::new(LENGTH);
    let (greedy, honest) = (Passing::of(&in_flight), Passing::of(&in_flight));
    let kept = now(greedy.piece(LENGTH)).unwrap();
    assert!(now(greedy.piece(1)).is_none(), "it holds one already");
    let passed = now(honest.piece(LENGTH)).expect("nothing of its own is held");
    assert!(now(honest.piece(1)).is_none());
    assert_eq!(bytes(&in_flight), 2 * (LENGTH + PIECE));
    drop(passed);
    assert!(now(honest.piece(1)).is_some(), "though the other holds on");
    drop(kept);
    assert_eq!(bytes(&in_flight), 0);
}

#[tokio::test]
async fn who_waits_is_woken_when_what_it_holds_itself_is_dropped() {
    let in_flight = InFlight::new(LENGTH);
    let (greedy, honest) = (Passing::of(&in_flight), Passing::of(&in_flight));
    let kept = greedy.piece(2 * LENGTH).await;
    let first = honest.piece(LENGTH).await;
    let second = tokio::spawn(async move { honest.piece(LENGTH).await.len() });
    tokio::task::yield_now().await;
    assert_eq!(waiting(&in_flight), 1);
    drop(first);
    assert_eq!(second.await.unwrap(), LENGTH);
    drop(kept);
}

#[tokio::test]
async fn who_waits_is_woken_when_others_make_room_though_but_a_little() {
    let in_flight = InFlight::new(LENGTH);
    let (greedy, honest) = (Passing::of(&in_flight), Passing::of(&in_flight));
    let kept = [greedy.piece(LENGTH - 4 * PIECE).await, honest.piece(PIECE).await];
    let over = Passing::of(&in_flight).piece(PIECE).await;
    let second = tokio::spawn(async move { honest.piece(LENGTH).await.len() });
    tokio::task::yield_now().await;
    assert_eq!(waiting(&in_flight), 1);
    drop(over);
    assert_eq!(second.await.unwrap(), LENGTH);
    drop(kept);
    assert_eq!(bytes(&in_flight), 0);
}

#[tokio::test]
async fn room_goes_to_whoever_has_waited_longest() {
    let in_flight = InFlight::new(LENGTH);
    let bodies: [_; 3] = std::array::from_fn(|_| Passing::of(&in_flight));
    let held = [bodies[0].piece(LENGTH).await, bodies[1].piece(1).await, bodies[2].piece(1).await];
    let [first, second, third] = bodies;
    let (told, mut told_of) = tokio::sync::mpsc::unbounded_channel();
    for (number, body) in [(3, third), (1, first), (2, second)] {
        let told = told.clone();
        tokio::spawn(async move {
            let piece = body.piece(LENGTH).await;
            told.send((number, piece)).unwrap();
        });
        tokio::task::yield_now().await;
    }
    assert_eq!(waiting(&in_flight), 3);
    let [large, ..] = held;
    drop(large);
    let mut order = Vec::new();
    for _ in 0..3 {
        // Dropped at once: room for the next.
        order.push(told_of.recv().await.unwrap().0);
    }
    // The first waits for what it holds itself, and has held nothing since.
    assert_eq!(order.iter().filter(|number| **number != 1).collect::<Vec<_>>(), [&3, &2]);
}

#[test]
fn who_gives_up_waits_no_more() {
    let in_flight = InFlight::new(LENGTH);
    let body = Passing::of(&in_flight);
    let kept = now(body.piece(LENGTH)).unwrap();
    assert!(now(body.piece(1)).is_none());
    assert_eq!(waiting(&in_flight), 1);
    drop(body);
    assert_eq!((waiting(&in_flight), in_flight.state().bodies.len()), (0, 1));
    drop(kept);
    assert_eq!(in_flight.state().bodies.len(), 0);
}

#[test]
fn a_piece_costs_more_than_its_bytes_and_a_view_of_it_keeps_it_whole() {
    let in_flight = InFlight::new(LENGTH);
    let body = Passing::of(&in_flight);
    let pieces: Vec<_> = std::iter::from_fn(|| now(body.piece(1))).take(LENGTH).collect();
    assert_eq!(pieces.len(), LENGTH.div_ceil(1 + PIECE));
    drop(pieces);
    let view = now(body.piece(LENGTH)).unwrap().slice(..1);
    assert_eq!(bytes(&in_flight), LENGTH + PIECE);
    drop(view);
    assert_eq!(bytes(&in_flight), 0);
}

#[test]
fn a_small_piece_does_not_keep_what_it_was_cut_from() {
    let in_flight = InFlight::new(LENGTH);
    let body = Passing::of(&in_flight);
    let read = Bytes::from(vec![7; 1 << 20]);
    let small = now(body.view(read.slice(..COPIED - 1))).unwrap();
    assert!(read.is_unique());
    let large = now(body.view(read.slice(..COPIED))).unwrap();
    assert!(!read.is_unique());
    drop((small, large));
}

#[test]
fn the_end_of_a_body_waits_for_no_room() {
    let in_flight = InFlight::new(LENGTH);
    let body = Passing::of(&in_flight);
    let kept = now(body.piece(LENGTH)).unwrap();
    let mut ended = http_body_util::Empty::<Bytes>::new();
    let end = now(std::future::poll_fn(|cx| body.0.poll_frame(&mut ended, cx)));
    assert!(matches!(end, Some(None)));
    drop(kept);
}
