use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body_util::Full;

use super::{InFlight, PIECE, Passage, Turn};

const LENGTH: usize = 10_000;

/// The next piece of a body of one piece, if there is room for it.
struct Next(Turn, Full<Bytes>);

impl Next {
    fn of(passage: &Arc<Passage>, length: usize) -> Self {
        Self(passage.turn(), Full::new(vec![7; length].into()))
    }

    async fn piece(&mut self) -> Option<Bytes> {
        let Self(turn, body) = self;
        let frame = std::future::poll_fn(|cx| turn.poll_frame(body, cx)).await;
        frame.map(|frame| frame.unwrap_or_else(|never: Infallible| match never {}).into_data().unwrap())
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

#[tokio::test]
async fn above_the_bound_one_piece_of_each_passage_may_pass() {
    let in_flight = InFlight::new(LENGTH);
    let (greedy, honest) = (in_flight.passage(), in_flight.passage());
    let kept = Next::of(&greedy, LENGTH).piece().await.unwrap();
    assert!(now(Next::of(&greedy, 1).piece()).is_none(), "it holds one already");
    let passed = now(Next::of(&honest, LENGTH).piece()).expect("nothing of its own is held").unwrap();
    assert!(now(Next::of(&honest, 1).piece()).is_none());
    assert_eq!(bytes(&in_flight), 2 * (LENGTH + PIECE));
    drop(passed);
    assert!(now(Next::of(&honest, 1).piece()).is_some(), "though the other holds on");
    drop(kept);
    assert_eq!(bytes(&in_flight), 0);
}

#[tokio::test]
async fn who_waits_is_woken_when_what_its_own_passage_holds_is_dropped() {
    let in_flight = InFlight::new(LENGTH);
    let (greedy, honest) = (in_flight.passage(), in_flight.passage());
    let kept = Next::of(&greedy, 2 * LENGTH).piece().await.unwrap();
    let first = Next::of(&honest, LENGTH).piece().await.unwrap();
    let mut second = Next::of(&honest, LENGTH);
    let waiting = tokio::spawn(async move { second.piece().await.unwrap().len() });
    tokio::task::yield_now().await;
    assert_eq!(in_flight.state().waiting.len(), 1);
    drop(first);
    assert_eq!(waiting.await.unwrap(), LENGTH);
    drop(kept);
}

#[tokio::test]
async fn who_waits_is_woken_when_others_make_room() {
    let in_flight = InFlight::new(LENGTH);
    let (greedy, honest) = (in_flight.passage(), in_flight.passage());
    let kept = Next::of(&greedy, 2 * LENGTH).piece().await.unwrap();
    let first = Next::of(&honest, 1).piece().await.unwrap();
    let mut second = Next::of(&honest, LENGTH);
    let waiting = tokio::spawn(async move { second.piece().await.unwrap().len() });
    tokio::task::yield_now().await;
    drop(kept);
    assert_eq!(waiting.await.unwrap(), LENGTH);
    drop(first);
    assert_eq!(bytes(&in_flight), 0);
}

#[tokio::test]
async fn who_gives_up_waits_no_more() {
    let in_flight = InFlight::new(LENGTH);
    let passage = in_flight.passage();
    let kept = Next::of(&passage, LENGTH).piece().await.unwrap();
    let mut next = Next::of(&passage, 1);
    assert!(now(next.piece()).is_none());
    assert_eq!(in_flight.state().waiting.len(), 1);
    drop(next);
    assert_eq!(in_flight.state().waiting.len(), 0);
    drop(kept);
}

#[tokio::test]
async fn a_piece_costs_more_than_its_bytes_and_a_view_of_it_keeps_it_whole() {
    let in_flight = InFlight::new(LENGTH);
    let passage = in_flight.passage();
    let pieces: Vec<_> = std::iter::from_fn(|| now(Next::of(&passage, 1).piece()).flatten()).take(LENGTH).collect();
    assert_eq!(pieces.len(), LENGTH.div_ceil(1 + PIECE));
    drop(pieces);
    let view = Next::of(&passage, LENGTH).piece().await.unwrap().slice(..1);
    assert_eq!(bytes(&in_flight), LENGTH + PIECE);
    drop(view);
    assert_eq!(bytes(&in_flight), 0);
}

#[tokio::test]
async fn the_end_of_a_body_waits_for_no_room() {
    let in_flight = InFlight::new(LENGTH);
    let passage = in_flight.passage();
    let kept = Next::of(&passage, LENGTH).piece().await.unwrap();
    let turn = passage.turn();
    let mut ended = http_body_util::Empty::<Bytes>::new();
    let end = now(std::future::poll_fn(|cx| turn.poll_frame(&mut ended, cx)));
    assert!(matches!(end, Some(None)));
    drop(kept);
}
