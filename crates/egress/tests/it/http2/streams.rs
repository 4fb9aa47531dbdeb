//! States and numbers of streams: RFC 9113 §5.1.

use testkit::http2::{END_HEADERS, END_STREAM, Frame, Kind};

use super::*;

fn data() -> Frame {
    Frame::new(Kind::Data, 1, "x")
}

fn continuation() -> Frame {
    Frame::new(Kind::Continuation, 1, get()).with(END_HEADERS)
}

#[tokio::test]
async fn http2_idle_streams() {
    let seen = check(vec![
        case("5.1: data", [data()], EndConnection(PROTOCOL_ERROR)),
        case("5.1: an end", [Frame::reset(1, 8)], EndConnection(PROTOCOL_ERROR)),
        case("5.1: room", [Frame::window_update(1, 100)], EndConnection(PROTOCOL_ERROR)),
        case("5.1: the rest of a head", [continuation()], EndConnection(PROTOCOL_ERROR)),
    ])
    .await;
    assert_eq!(seen, 0);
}

#[tokio::test]
async fn http2_streams_that_the_client_has_ended() {
    let asked = Frame::request(1, get());
    check(vec![
        case("5.1: data", [asked.clone(), data()], EndConnection(STREAM_CLOSED)),
        case("5.1: a head", [asked.clone(), Frame::request(1, get())], EndConnection(STREAM_CLOSED)),
        case("5.1: the rest of a head", [asked.clone(), continuation()], EndConnection(PROTOCOL_ERROR)),
        case("5.1: room", [asked.clone(), Frame::window_update(1, 100)], Pass),
        case("5.1: a priority", [asked.clone(), Frame::new(Kind::Priority, 1, [0; 5])], Pass),
        case("5.1: an end", [asked, Frame::reset(1, 8)], Pass),
    ])
    .await;
}

#[tokio::test]
async fn http2_streams_that_are_closed() {
    let ended = [Frame::request_with_body(1, post()), Frame::reset(1, 8)];
    let then = |frame: Frame| [&ended[..], &[frame]].concat();
    check(vec![
        case("5.1: data after an end", then(data()), EndStream(STREAM_CLOSED)),
        case("5.1: a head after an end", then(Frame::request(1, get())), EndConnection(STREAM_CLOSED)),
        case("5.1: the rest of a head after an end", then(continuation()), EndConnection(PROTOCOL_ERROR)),
        case("5.1: room after an end", then(Frame::window_update(1, 1)), Pass),
        case("5.1: an end after an end", then(Frame::reset(1, 8)), Pass),
    ])
    .await;
}

#[tokio::test]
async fn http2_numbers_of_streams() {
    let seen = check(vec![
        case("5.1.1: even ones are the server's", [Frame::request(2, get())], EndConnection(PROTOCOL_ERROR)),
        case(
            "5.1.1: one below another that was used",
            [Frame::request_with_body(5, post()), Frame::request(3, get())],
            EndConnection(PROTOCOL_ERROR),
        ),
    ])
    .await;
    assert_eq!(seen, 0);
}

/// 5.1.2: more streams at once than the server allows.
#[tokio::test]
async fn http2_streams_at_once() {
    let (scene, _origin) = scene().await;
    let mut client = Client::new(&scene).await;
    let allowed = egress::Limits::default().streams;
    let open: Vec<_> = (0..allowed).map(|number| Frame::request_with_body(2 * number + 1, post())).collect();
    client.send(&open).await;
    assert!(client.goes_on().await, "as many as allowed");
    client.send(&[Frame::request_with_body(2 * allowed + 1, post())]).await;
    assert_eq!(client.end().await, Said::StreamEnded(REFUSED_STREAM));
    // Those that were opened go on.
    client.send(&[Frame::new(Kind::Data, 1, "x").with(END_STREAM)]).await;
    assert_eq!(client.answer(1).await, Said::Answer(200));
}
