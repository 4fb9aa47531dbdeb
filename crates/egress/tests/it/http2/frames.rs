//! Frames and settings: RFC 9113 §3.4, §4, §5.5, §6.

use testkit::http2::{ACK, END_HEADERS, END_STREAM, Frame, Kind, PADDED, PREFACE, PRIORITY, literal};

use super::client::Client;
use super::*;

/// The largest frame that a server takes unless it says otherwise (§4.2).
const FRAME_MAX: usize = 16_384;

#[tokio::test]
async fn http2_prefaces() {
    let (scene, origin) = scene().await;
    let mut client = Client::silent(&scene).await;
    client.write(b"INVALID CONNECTION PREFACE\r\n\r\n").await;
    while client.frame().await.is_some() {}
    // The server's own settings are the first that it says.
    let mut client = Client::silent(&scene).await;
    client.write(PREFACE).await;
    client.send(&[Frame::settings(&[])]).await;
    assert_eq!(client.frame().await.map(|frame| (frame.kind, frame.flags)), Some((Kind::Settings, 0)));
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn http2_frame_format_and_size() {
    let unknown = |stream| Frame::new(Kind::Other(0x16), stream, "unknown");
    let mut reserved = Frame::ping(*b"reserved");
    reserved.stream = 0x8000_0000;
    let seen = check(vec![
        case("4.1 and 5.5: a frame of an unknown type", [unknown(0), unknown(1)], Pass),
        case("4.1: flags that mean nothing", [Frame::ping(*b"no flags").with(0xfe)], Pass),
        case("4.1: the reserved bit of a stream's number", [reserved], Pass),
        case("4.2: the largest frame", [Frame::request_with_body(1, post()), data(1, FRAME_MAX).with(END_STREAM)], Answer(200)),
        case(
            "4.2: data larger than that",
            [Frame::request_with_body(1, post()), data(1, FRAME_MAX + 1)],
            EndConnection(FRAME_SIZE_ERROR),
        ),
        case(
            "4.2: a head larger than that",
            [Frame::request(1, [get(), literal(&[("x", &"a".repeat(FRAME_MAX))])].concat())],
            EndConnection(FRAME_SIZE_ERROR),
        ),
        case(
            "5.5: an unknown frame inside a head",
            [Frame::new(Kind::Headers, 1, get()).with(END_STREAM), unknown(1)],
            EndConnection(PROTOCOL_ERROR),
        ),
    ])
    .await;
    assert_eq!(seen, 1);
}

#[tokio::test]
async fn http2_data_and_heads() {
    let padded = |kind, payload: Vec<u8>| Frame::new(kind, 1, payload).with(PADDED);
    let seen = check(vec![
        case("6.1: data on no stream", [data(0, 1)], EndConnection(PROTOCOL_ERROR)),
        case(
            "6.1: more padding than there is",
            [Frame::request_with_body(1, post()), padded(Kind::Data, vec![9, b'x'])],
            EndConnection(PROTOCOL_ERROR),
        ),
        case(
            "6.1: padding",
            [Frame::request_with_body(1, post()), padded(Kind::Data, vec![2, b'x', 0, 0]).with(END_STREAM)],
            Answer(200),
        ),
        case("6.2: a head on no stream", [Frame::request(0, get())], EndConnection(PROTOCOL_ERROR)),
        case(
            "6.2: another frame inside a head",
            [Frame::new(Kind::Headers, 1, get()).with(END_STREAM), Frame::new(Kind::Priority, 1, [0, 0, 0, 0, 255])],
            EndConnection(PROTOCOL_ERROR),
        ),
        case(
            "6.2: the head of another stream inside a head",
            [Frame::new(Kind::Headers, 1, get()).with(END_STREAM), Frame::request(3, get())],
            EndConnection(PROTOCOL_ERROR),
        ),
        case(
            "6.2: more padding than there is",
            [padded(Kind::Headers, [vec![255], get()].concat()).with(END_HEADERS | END_STREAM)],
            EndConnection(PROTOCOL_ERROR),
        ),
        case(
            "6.2: padding and a priority",
            [padded(Kind::Headers, [vec![1, 0, 0, 0, 0, 255], get(), vec![0]].concat())
                .with(PRIORITY | END_HEADERS | END_STREAM)],
            Answer(200),
        ),
    ])
    .await;
    assert_eq!(seen, 2);
}

#[tokio::test]
async fn http2_priority_and_ends_of_streams() {
    let priority = |stream, length| Frame::new(Kind::Priority, stream, vec![0; length]);
    check(vec![
        case("6.3: the priority of no stream", [priority(0, 5)], EndConnection(PROTOCOL_ERROR)),
        case(
            "6.3: a priority of another length",
            [Frame::request_with_body(1, post()), priority(1, 4)],
            EndConnection(FRAME_SIZE_ERROR),
        ),
        case("6.3: the priority of a stream that is not open yet", [priority(1, 5)], Pass),
        case(
            "5.3.1: a stream that depends on itself",
            [Frame::new(Kind::Priority, 1, [0, 0, 0, 1, 0])],
            EndStream(PROTOCOL_ERROR),
        ),
        case("6.4: the end of no stream", [Frame::reset(0, 8)], EndConnection(PROTOCOL_ERROR)),
        case("6.4: the end of a stream that was never opened", [Frame::reset(1, 8)], EndConnection(PROTOCOL_ERROR)),
        case(
            "6.4: an end of another length",
            [Frame::request_with_body(1, post()), Frame::new(Kind::RstStream, 1, [0; 3])],
            EndConnection(FRAME_SIZE_ERROR),
        ),
        case("7: an end with an unknown code", [Frame::request_with_body(1, post()), Frame::reset(1, 0xff)], Pass),
    ])
    .await;
}

#[tokio::test]
async fn http2_settings() {
    let settings = |payload: Vec<u8>| Frame::new(Kind::Settings, 0, payload);
    let mut elsewhere = Frame::settings(&[]);
    elsewhere.stream = 1;
    let seen = check(vec![
        case("6.5: an acknowledgement that says something", [settings(vec![0; 6]).with(ACK)], EndConnection(FRAME_SIZE_ERROR)),
        case("6.5: settings of a stream", [elsewhere], EndConnection(PROTOCOL_ERROR)),
        case("6.5: half a setting", [settings(vec![0; 3])], EndConnection(FRAME_SIZE_ERROR)),
        case("6.5.2: pushing is on or off", [Frame::settings(&[(2, 2)])], EndConnection(PROTOCOL_ERROR)),
        case("6.5.2: a window too large", [Frame::settings(&[(4, 1 << 31)])], EndConnection(FLOW_CONTROL_ERROR)),
        case("6.5.2: frames too small", [Frame::settings(&[(5, 16_383)])], EndConnection(PROTOCOL_ERROR)),
        case("6.5.2: frames too large", [Frame::settings(&[(5, 1 << 24)])], EndConnection(PROTOCOL_ERROR)),
        case("6.5.2: an unknown setting", [Frame::settings(&[(0xff, 1)])], Pass),
        case("6.5.3: the last of several counts", [Frame::settings(&[(4, 0), (4, 5)]), Frame::request(1, get())], Answer(200)),
    ])
    .await;
    assert_eq!(seen, 1);
    let (scene, _origin) = scene().await;
    let mut client = Client::new(&scene).await;
    client.send(&[Frame::settings(&[(1, 100)])]).await;
    let said = [client.frame().await.unwrap(), client.frame().await.unwrap()];
    // The server makes its own window larger, too.
    assert!(said.contains(&Frame::settings(&[]).with(ACK)), "6.5.3: an acknowledgement at once: {said:?}");
}

#[tokio::test]
async fn http2_pushes_pings_and_farewells() {
    let mut elsewhere = Frame::ping(*b"elsewher");
    elsewhere.stream = 1;
    check(vec![
        case("8.4: a push by a client", [Frame::new(Kind::PushPromise, 1, [0, 0, 0, 2])], EndConnection(PROTOCOL_ERROR)),
        case("6.7: an echo that nobody asked for", [Frame::ping(*b"invalid ").with(ACK)], Pass),
        case("6.7: a ping on a stream", [elsewhere], EndConnection(PROTOCOL_ERROR)),
        case("6.7: a ping of another length", [Frame::new(Kind::Ping, 0, [0; 6])], EndConnection(FRAME_SIZE_ERROR)),
        case("6.8: a farewell on a stream", [Frame::new(Kind::GoAway, 1, [0; 8])], EndConnection(PROTOCOL_ERROR)),
    ])
    .await;
}

#[tokio::test]
async fn http2_windows() {
    let most = (1 << 31) - 1;
    let seen = check(vec![
        case("6.9: no more room for the connection", [Frame::window_update(0, 0)], EndConnection(PROTOCOL_ERROR)),
        case(
            "6.9: no more room for a stream",
            [Frame::request_with_body(1, post()), Frame::window_update(1, 0)],
            EndConnection(PROTOCOL_ERROR),
        ),
        case("6.9: another length", [Frame::new(Kind::WindowUpdate, 0, [0; 3])], EndConnection(FRAME_SIZE_ERROR)),
        case(
            "6.9.1: too much room for the connection",
            [Frame::window_update(0, most), Frame::window_update(0, most)],
            EndConnection(FLOW_CONTROL_ERROR),
        ),
        case(
            "6.9.1: too much room for a stream",
            [Frame::request_with_body(1, post()), Frame::window_update(1, most), Frame::window_update(1, most)],
            EndStream(FLOW_CONTROL_ERROR),
        ),
    ])
    .await;
    assert_eq!(seen, 0);
}

/// 6.9.1 and 6.9.2: what is sent fits into the window, which may shrink below nothing and be opened again.
#[tokio::test]
async fn http2_windows_are_kept_to() {
    let (scene, _origin) = scene().await;
    let mut client = Client::new(&scene).await;
    let body = Frame::new(Kind::Data, 1, "hello").with(END_STREAM);
    client.send(&[Frame::settings(&[(4, 3)]), Frame::request_with_body(1, post()), body]).await;
    let mut data = async || loop {
        let frame = client.frame().await.unwrap();
        if frame.kind == Kind::Data && !frame.payload.is_empty() {
            return frame.payload;
        }
    };
    assert_eq!(data().await, b"hel");
    client.send(&[Frame::settings(&[(4, 2)])]).await;
    assert!(client.goes_on().await, "a window below nothing");
    client.send(&[Frame::window_update(1, 2)]).await;
    let mut data = async || loop {
        let frame = client.frame().await.unwrap();
        if frame.kind == Kind::Data && !frame.payload.is_empty() {
            return frame.payload;
        }
    };
    assert_eq!(data().await, b"l");
}

#[tokio::test]
async fn http2_continuations() {
    let begun = || Frame::new(Kind::Headers, 1, get()).with(END_STREAM);
    let more = |stream| Frame::new(Kind::Continuation, stream, literal(&[("x", "y")]));
    let seen = check(vec![
        case("6.10: a head in three frames", [begun(), more(1), more(1).with(END_HEADERS)], Answer(200)),
        case("6.10: another frame between them", [begun(), more(1), data(1, 1)], EndConnection(PROTOCOL_ERROR)),
        case("6.10: on no stream", [begun(), more(0)], EndConnection(PROTOCOL_ERROR)),
        case("6.10: on another stream", [begun(), more(3).with(END_HEADERS)], EndConnection(PROTOCOL_ERROR)),
        case("6.10: behind a head that has ended", [Frame::request_with_body(1, post()), more(1)], EndConnection(PROTOCOL_ERROR)),
        case(
            "6.10: behind one that ended it",
            [Frame::new(Kind::Headers, 1, post()), more(1).with(END_HEADERS), more(1)],
            EndConnection(PROTOCOL_ERROR),
        ),
        case(
            "6.10: behind data",
            [Frame::request_with_body(1, post()), data(1, 1), more(1).with(END_HEADERS)],
            EndConnection(PROTOCOL_ERROR),
        ),
    ])
    .await;
    assert_eq!(seen, 1);
}

fn data(stream: u32, length: usize) -> Frame {
    Frame::new(Kind::Data, stream, vec![b'x'; length])
}
