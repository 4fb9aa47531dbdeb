//! HTTP/2 as no honest client sends it.

use tokio::io::{AsyncRead, AsyncWrite};

use super::frames::{
    self, Became, CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, HEADERS, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE, block,
    get,
};
use super::trial::Trial;
use crate::origin::Origin;
use crate::scene::{Scene, Setting, rule};

const MALFORMED: &str = "egress.malformed";

fn scene(origin: &Origin) -> Scene {
    Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start()
}

async fn begin(scene: &Scene) -> Frames<impl AsyncRead + AsyncWrite + Unpin> {
    let tunnel = scene.tunnel("a.example:443").await;
    Frames::begin(scene.tls(tunnel, "a.example", &["h2"]).await.unwrap()).await
}

/// What HTTP/1 servers behind us would read as another request, header or host (RFC 9113 §8.2 and §10.3).
#[tokio::test]
async fn requests_that_would_smuggle_into_http1() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = scene(&origin);
    let mut trial = Trial::of(&scene);
    let with = |extra: &[(&'static str, &'static str)]| [get("a.example", "/x"), extra.to_vec()].concat();
    let without = |name: &str| get("a.example", "/x").into_iter().filter(|(own, _)| *own != name).collect::<Vec<_>>();
    let cases = [
        with(&[("x", "a\r\nhost: evil.example")]),
        with(&[("x", "a\nb")]),
        with(&[("x", "a\0b")]),
        with(&[("x\r\nhost", "evil.example")]),
        with(&[("x y", "a")]),
        with(&[("x:y", "a")]),
        with(&[("X-Upper", "a")]),
        with(&[("", "a")]),
        with(&[("connection", "close")]),
        with(&[("transfer-encoding", "chunked")]),
        with(&[("upgrade", "h2c")]),
        with(&[("keep-alive", "1")]),
        with(&[("proxy-connection", "close")]),
        with(&[("te", "gzip")]),
        with(&[("content-length", "0"), ("content-length", "0")]),
        with(&[("content-length", "0"), ("content-length", "5")]),
        with(&[("content-length", "0, 0")]),
        with(&[("content-length", "+0")]),
        with(&[("content-length", "5")]),
        with(&[("host", "a.example"), ("host", "a.example")]),
        with(&[(":authority", "a.example")]),
        with(&[(":path", "/y")]),
        with(&[(":status", "200")]),
        with(&[(":unknown", "x")]),
        with(&[(":protocol", "websocket")]),
        get("a.example", "http://evil.example/x"),
        get("a.example", "x"),
        get("a.example", "*"),
        get("a.example", "/a b"),
        get("a.example", "/a HTTP/1.1\r\nhost: evil.example\r\n\r\n"),
        get("a.example", ""),
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
        vec![
            (":method", "CONNECT"),
            (":protocol", "websocket"),
            (":scheme", "https"),
            (":authority", "a.example"),
            (":path", "/ws"),
        ],
    ];
    for fields in cases {
        let mut frames = begin(&scene).await;
        frames.request(1, &fields).await;
        frames.became(1).await;
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
        let mut frames = begin(&scene).await;
        let mut fields = get("a.example", "/echo");
        fields[0].1 = "POST";
        fields.push(("content-length", said));
        frames.send(HEADERS, END_HEADERS, 1, &block(&fields)).await;
        frames.send(DATA, END_STREAM, 1, body.as_bytes()).await;
        frames.became(1).await;
        assert_eq!(trial.code(said), MALFORMED, "{said} {body}");
    }
    assert!(origin.seen().is_empty());
}

/// A head of 16 KiB that is 48 MiB when it is unpacked (CVE-2016-6581).
#[tokio::test]
async fn hpack_bomb() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = scene(&origin);
    let mut trial = Trial::of(&scene);
    let mut frames = begin(&scene).await;
    // Literal with indexing (RFC 7541 §6.2.1): the newest entry of the table is number 62.
    let (name, value) = ("bomb", "x".repeat(3900));
    let entry =
        [&[0x40][..], &frames::integer(name.len(), 7, 0), name.as_bytes(), &frames::integer(3900, 7, 0), value.as_bytes()];
    let bomb = [block(&get("a.example", "/x")), entry.concat(), vec![0x80 | 62; 12_000]].concat();
    frames.send(HEADERS, END_STREAM | END_HEADERS, 1, &bomb).await;
    frames.became(1).await;
    assert_eq!(trial.code("the bomb"), "egress.busy");
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn a_head_above_the_limit() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = scene(&origin);
    let mut trial = Trial::of(&scene);
    let mut frames = begin(&scene).await;
    // Just above, in as few frames as can be: of more the library wants none.
    let long = "x".repeat(16_340);
    frames.send(HEADERS, END_STREAM, 1, &block(&get("a.example", "/x"))).await;
    for _ in 0..3 {
        frames.send(CONTINUATION, 0, 1, &block(&[("x", &long)])).await;
    }
    frames.send(CONTINUATION, END_HEADERS, 1, &block(&[("x", &long)])).await;
    assert_eq!(frames.became(1).await, Became::Answered);
    assert_eq!(trial.code("too large"), "egress.too_large");
    // The connection ends with it, in order.
    assert_eq!(frames.became(3).await, Became::Closed);
    assert!(origin.seen().is_empty());
}

/// A head that never ends, in frames that each are small (CVE-2024-27983).
#[tokio::test]
async fn continuation_flood() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = scene(&origin);
    let mut trial = Trial::of(&scene);
    let mut frames = begin(&scene).await;
    frames.send(HEADERS, END_STREAM, 1, &block(&get("a.example", "/x"))).await;
    let more = block(&[("x", "y")]).repeat(100);
    let mut sent = 0;
    while frames.send(CONTINUATION, 0, 1, &more).await {
        sent += more.len();
        assert!(sent < 64 << 20, "the head has no bound");
    }
    assert!(matches!(frames.became(1).await, Became::Gone(_) | Became::Closed));
    assert!(["egress.busy", MALFORMED].contains(&trial.code("the flood").as_str()));
    assert!(origin.seen().is_empty());
}

/// Streams that are opened and given up without end, by the client itself (CVE-2023-44487) or by making us (CVE-2025-8671).
#[tokio::test]
async fn rapid_reset() {
    for provoked in [false, true] {
        let origin = Origin::tls(&["http/1.1"]).await;
        let scene = scene(&origin);
        let mut frames = begin(&scene).await;
        let head = block(&get("a.example", "/x"));
        let mut stream = 1;
        let open = |stream| (HEADERS, END_STREAM | END_HEADERS, stream);
        loop {
            let (kind, flags, of) = open(stream);
            let taken = frames.send(kind, flags, of, &head).await
                && match provoked {
                    false => frames.send(RST_STREAM, 0, stream, &8u32.to_be_bytes()).await,
                    // A window that grows beyond all bounds.
                    true => frames.send(WINDOW_UPDATE, 0, stream, &0x7fff_ffff_u32.to_be_bytes()).await,
                };
            stream += 2;
            assert!(stream < 40_000, "streams have no bound");
            if !taken {
                break;
            }
        }
        let mut last = None;
        while let Some(frame) = frames.next().await {
            last = Some(frame);
        }
        // What was on its way when the end was decided is not read any more, so that the last word may be lost.
        assert!(last.is_none_or(|last| last.kind != HEADERS));
        let busy = scene.refusals().iter().filter(|record| record["code"] == "egress.busy").count();
        assert_eq!(busy, 1, "{:?}", scene.refusals());
    }
}

/// Frames that cost the server an answer each, and say nothing.
#[tokio::test]
async fn pings_and_settings_are_answered_and_cost_nothing_else() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = scene(&origin);
    let mut frames = begin(&scene).await;
    for _ in 0..500 {
        frames.send(PING, 0, 0, &[0; 8]).await;
        frames.send(SETTINGS, 0, 0, &[]).await;
    }
    frames.request(1, &get("a.example", "/x")).await;
    assert_eq!(frames.became(1).await, Became::Answered);
    assert_eq!(origin.seen().len(), 1);
}

#[tokio::test]
async fn frames_that_break_the_protocol() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = scene(&origin);
    let mut trial = Trial::of(&scene);
    let cases: [(u8, u8, u32, &[u8]); 8] = [
        (DATA, 0, 0, b"x"),
        (DATA, 0, 1, b"x"),
        (HEADERS, END_HEADERS, 0, b"\x82"),
        (HEADERS, END_HEADERS | END_STREAM, 2, b"\x82"),
        (HEADERS, END_HEADERS | END_STREAM, 1, b"\xff\xff\xff\xff\xff\xff\xff"),
        (SETTINGS, 0, 0, b"x"),
        (5, END_HEADERS, 1, b"\0\0\0\x02\x82"),
        (WINDOW_UPDATE, 0, 0, b"\0\0\0\0"),
    ];
    for (kind, flags, stream, payload) in cases {
        let mut frames = begin(&scene).await;
        frames.send(kind, flags, stream, payload).await;
        let became = frames.became(stream).await;
        assert!(matches!(became, Became::Gone(_)), "{kind} {flags} {stream} {payload:?}: {became:?}");
        assert_eq!(trial.code(&format!("{kind} {flags} {stream} {payload:?}")), MALFORMED);
    }
    assert!(origin.seen().is_empty());
}
