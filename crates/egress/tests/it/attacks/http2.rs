//! HTTP/2 as no honest client sends it. What the library refuses by itself (see the tests of `http2`) is a refusal like any other:
//! recorded once, with a code.

use testkit::http2::{END_HEADERS, END_STREAM, Frame, Kind, indexed, literal, prefixed, text};

use super::trial::Trial;
use crate::http2::client::{Client, Said};
use crate::origin::Origin;
use crate::scene::{Scene, Setting, exchange, rule};

const MALFORMED: &str = "egress.malformed";
type Fields<'a> = Vec<(&'a str, &'a str)>;

/// The pseudo-headers of a GET (RFC 9113 §8.3.1).
pub fn get<'a>(authority: &'a str, path: &'a str) -> Fields<'a> {
    vec![(":method", "GET"), (":scheme", "https"), (":authority", authority), (":path", path)]
}

fn scene(origin: &Origin) -> Scene {
    Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start()
}

/// What HTTP/1 servers behind us would read as another request, header or host (RFC 9113 §8.2 and §10.3).
#[tokio::test]
async fn requests_that_would_smuggle_into_http1() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = scene(&origin);
    let mut trial = Trial::of(&scene);
    let with = |extra: &[(&'static str, &'static str)]| [get("a.example", "/x"), extra.to_vec()].concat();
    let without = |name: &str| get("a.example", "/x").into_iter().filter(|(own, _)| *own != name).collect::<Fields<'_>>();
    let cases = [
        with(&[("x", "a\r\nhost: evil.example")]),
        with(&[("x", "a\nb")]),
        with(&[("x", "a\0b")]),
        with(&[("x\r\nhost", "evil.example")]),
        with(&[("x y", "a")]),
        with(&[("x:y", "a")]),
        with(&[("connection", "close")]),
        with(&[("transfer-encoding", "chunked")]),
        with(&[("upgrade", "h2c")]),
        with(&[("proxy-connection", "close")]),
        with(&[("content-length", "0"), ("content-length", "0")]),
        with(&[("content-length", "0"), ("content-length", "5")]),
        with(&[("content-length", "0, 0")]),
        with(&[("content-length", "+0")]),
        with(&[("content-length", "5")]),
        with(&[("host", "a.example"), ("host", "a.example")]),
        with(&[(":authority", "a.example")]),
        with(&[(":path", "/y")]),
        with(&[(":unknown", "x")]),
        get("a.example", "http://evil.example/x"),
        get("a.example", "x"),
        get("a.example", "*"),
        get("a.example", "/a b"),
        get("a.example", "/a HTTP/1.1\r\nhost: evil.example\r\n\r\n"),
        get("a.example", ""),
        get("a.example", "#x"),
        get("", "/x"),
        get("a.example\r\nhost: evil.example", "/x"),
        get("a example", "/x"),
        [without(":path"), vec![("host", "a.example")]].concat(),
        without(":path"),
        without(":authority"),
        without(":scheme"),
        without(":method"),
        [without(":method"), vec![(":method", "GET /evil HTTP/1.1\r\n\r\nGET")]].concat(),
        [without(":scheme"), vec![(":scheme", "http")]].concat(),
        [without(":scheme"), vec![(":scheme", "https://evil.example/?")]].concat(),
        vec![(":method", "CONNECT"), (":authority", "a.example:443")],
        [vec![(":method", "CONNECT"), (":protocol", "websocket")], without(":method")].concat(),
    ];
    for fields in cases {
        let mut client = Client::new(&scene).await;
        client.send(&[Frame::request(1, literal(&fields))]).await;
        client.answer(1).await;
        assert_eq!(trial.code(&format!("{fields:?}")), MALFORMED, "{fields:?}");
    }
    assert!(origin.seen().is_empty());
}

/// A body that is longer or shorter than was said, to a server that counts.
#[tokio::test]
async fn bodies_of_another_length_than_was_said() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = scene(&origin);
    let mut trial = Trial::of(&scene);
    for (said, body) in [("3", "four"), ("0", "x"), ("5", "four")] {
        let mut fields = get("a.example", "/echo");
        fields[0].1 = "POST";
        fields.push(("content-length", said));
        let mut client = Client::new(&scene).await;
        let body = Frame::new(Kind::Data, 1, body).with(END_STREAM);
        client.send(&[Frame::request_with_body(1, literal(&fields)), body]).await;
        client.answer(1).await;
        assert_eq!(trial.code(said), MALFORMED, "{said}");
    }
    assert!(origin.seen().is_empty());
}

/// The library cuts a fragment off before the path is judged: what passes is what was judged, and the fragment goes nowhere.
#[tokio::test]
async fn a_fragment_in_a_path_is_never_sent() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = scene(&origin);
    for (path, sent) in [("/x#y", "/x"), ("/x?y#z", "/x?y"), ("?y#z", "/?y"), ("?y", "/?y")] {
        let mut client = Client::new(&scene).await;
        client.send(&[Frame::request(1, literal(&get("a.example", path)))]).await;
        assert_eq!(client.answer(1).await, Said::Answer(200), "{path}");
        assert_eq!(origin.seen().last().unwrap().uri, *sent, "{path}");
    }
    assert_eq!(origin.seen().len(), 4);
}

/// A body without a length, of methods that seldom have one, to a server of HTTP/1.1: what was passed on is what was sent.
#[tokio::test]
async fn no_body_is_left_out() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = scene(&origin);
    for method in ["GET", "HEAD", "DELETE", "OPTIONS", "POST"] {
        let mut fields = get("a.example", "/echo");
        fields[0].1 = method;
        let mut client = Client::new(&scene).await;
        let body = Frame::new(Kind::Data, 1, "over HTTP/2").with(END_STREAM);
        client.send(&[Frame::request_with_body(1, literal(&fields)), body]).await;
        assert_eq!(client.answer(1).await, Said::Answer(200), "{method}");
        assert_eq!(origin.seen().last().unwrap().body, "over HTTP/2", "{method}");
        let (tunnel, request) = (scene.tunnel("a.example:443").await, format!("{method} /echo HTTP/1.1\r\nHost: a.example\r\n"));
        let stream = scene.tls(tunnel, "a.example", &[]).await.unwrap();
        let body = "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\nd\r\nover HTTP/1.1\r\n0\r\n\r\n";
        exchange(stream, (request + body).as_bytes()).await;
        assert_eq!(origin.seen().last().unwrap().body, "over HTTP/1.1", "{method}");
    }
    assert_eq!(origin.seen().len(), 10);
}

#[tokio::test]
async fn broken_frames_are_recorded() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = scene(&origin);
    let mut trial = Trial::of(&scene);
    for frame in [
        Frame::new(Kind::Data, 1, "x"),
        Frame::new(Kind::Settings, 0, "x"),
        Frame::new(Kind::Headers, 1, vec![0xff; 30]).with(END_HEADERS | END_STREAM),
        Frame::new(Kind::Data, 0, vec![0; 100_000]),
    ] {
        let mut client = Client::new(&scene).await;
        client.send(std::slice::from_ref(&frame)).await;
        assert!(matches!(client.end().await, Said::ConnectionEnded(_) | Said::Closed), "{frame:?}");
        assert_eq!(trial.code(&format!("{frame:?}")), MALFORMED);
    }
}

/// A head of 16 KiB that is 48 MiB when it is unpacked (CVE-2016-6581).
#[tokio::test]
async fn hpack_bomb() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = scene(&origin);
    let mut trial = Trial::of(&scene);
    // A literal that the table remembers (RFC 7541 §6.2.1); its newest entry is number 62.
    let entry = [prefixed(0x40, 6, 0), text("bomb"), text(&"x".repeat(3900))].concat();
    let bomb = [literal(&get("a.example", "/x")), entry, indexed(62).repeat(12_000)].concat();
    let mut client = Client::new(&scene).await;
    client.send(&[Frame::request(1, bomb)]).await;
    client.answer(1).await;
    assert_eq!(trial.code("the bomb"), "egress.busy");
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn a_head_above_the_limit() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = scene(&origin);
    let mut trial = Trial::of(&scene);
    let mut client = Client::new(&scene).await;
    // Just above what the library takes, in as few frames as can be: of more it wants none.
    let more = || literal(&[("x", &"x".repeat(16_340))]);
    let begin = Frame::new(Kind::Headers, 1, literal(&get("a.example", "/x"))).with(END_STREAM);
    let go_on = || Frame::new(Kind::Continuation, 1, more());
    let frames: Vec<Frame> = [begin].into_iter().chain((0..7).map(|_| go_on())).chain([go_on().with(END_HEADERS)]).collect();
    client.send(&frames).await;
    assert_eq!(client.answer(1).await, Said::Answer(431));
    assert_eq!(trial.code("too large"), "egress.too_large");
    // The connection ends with it, in order.
    while let Some(frame) = client.frame().await {
        if frame.kind == Kind::Ping {
            client.send(&[frame.with(testkit::http2::ACK)]).await;
        }
    }
    assert!(origin.seen().is_empty());
}

/// Streams that are opened and given up without end, by the client itself (CVE-2023-44487) or by making us (CVE-2025-8671).
#[tokio::test]
async fn rapid_reset() {
    let by_the_client: fn(u32) -> Frame = |stream| Frame::reset(stream, 8);
    // A window that grows beyond all bounds.
    let by_us: fn(u32) -> Frame = |stream| Frame::window_update(stream, 0x7fff_ffff);
    for end in [by_the_client, by_us] {
        let origin = Origin::tls(&["http/1.1"]).await;
        let scene = scene(&origin);
        let mut client = Client::new(&scene).await;
        let head = literal(&get("a.example", "/x"));
        let frames: Vec<Frame> = (0..2_000)
            .map(|number| 2 * number + 1)
            .flat_map(|stream| [Frame::request(stream, head.clone()), end(stream)])
            .collect();
        client.send(&frames).await;
        while client.frame().await.is_some() {}
        let busy = scene.refusals().iter().filter(|record| record["code"] == "egress.busy").count();
        assert_eq!(busy, 1, "{:?}", scene.refusals());
        assert!(origin.seen().len() < 1_000, "{} reached the origin", origin.seen().len());
    }
}
