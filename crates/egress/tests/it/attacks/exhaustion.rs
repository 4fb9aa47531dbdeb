//! Wearing the service out. A bottle that does it waits or is refused, and costs another bottle nothing.

use bytes::Bytes;
use egress::Limits;
use http_body_util::BodyExt as _;
use hyper::body::Frame;
use testkit::origin::{Answer, Door, Gate};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

use crate::origin::{Frames, Origin};
use crate::scene::{Scene, Setting, exchange, get, over, rule, send, within};

const REQUEST: &[u8] = b"GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";

fn small() -> Limits {
    Limits { connections: 16, ..Limits::default() }
}

fn scene(address: std::net::SocketAddr, roots: &egress::TrustRoots) -> Scene {
    Setting { limits: small(), ..Setting::new(vec![rule("a.example", address, |_| {})], roots) }.start()
}

/// What another bottle does meanwhile.
async fn another_bottle_is_served(origin: &Origin) {
    let scene = scene(origin.address, &origin.roots);
    for _ in 0..20 {
        assert!(exchange(scene.proxy(), REQUEST).await.ends_with("hello"));
    }
    scene.end().await;
}

#[tokio::test]
async fn ten_thousand_connections() {
    let origin = Origin::plain().await;
    let gate = Gate::closed();
    let slow = testkit::origin::Origin::start(Door::Plain, {
        let gate = gate.clone();
        move |_| Answer::text("late").behind(&gate)
    });
    let scene = scene(slow.address(), &origin.roots);
    let mut asking = JoinSet::new();
    for _ in 0..10_000 {
        let stream = scene.proxy();
        asking.spawn(async move { exchange(stream, REQUEST).await });
    }
    slow.until("as many requests as there are places", |requests| requests.len() == 16).await;
    another_bottle_is_served(&origin).await;
    assert_eq!(slow.requests().len(), 16, "the other 9,984 wait");
    // The flood ends as floods do: most of those who wait have gone.
    asking.abort_all();
    while asking.join_next().await.is_some() {}
    gate.open();
    assert!(exchange(scene.proxy(), REQUEST).await.ends_with("late"), "and then it is served again");
}

#[tokio::test]
async fn slow_heads() {
    let origin = Origin::plain().await;
    let scene = scene(origin.address, &origin.roots);
    let mut slow = Vec::new();
    for _ in 0..16 {
        let mut stream = scene.proxy();
        stream.write_all(b"GET http://a.example/ HTTP/1.1\r\nHost: a.ex").await.unwrap();
        slow.push(stream);
    }
    another_bottle_is_served(&origin).await;
    // Their time comes (`one_that_says_nothing_or_half_of_something_is_closed`); or they go by themselves.
    drop(slow);
    assert!(exchange(scene.proxy(), REQUEST).await.ends_with("hello"));
    assert!(scene.refusals().is_empty() && origin.seen().len() == 21);
}

/// A body that goes on for ever to somebody who does not read, and an answer without end that the bottle does not read: what is
/// kept of either is bounded, and the other bottle does not notice.
#[tokio::test]
async fn bodies_that_never_end() {
    let origin = Origin::plain().await;
    let deaf = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let scene = scene(deaf.local_addr().unwrap(), &origin.roots);
    let mut sending = scene.proxy();
    sending
        .write_all(b"POST http://a.example/x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await
        .unwrap();
    let (held, _) = within(deaf.accept()).await.unwrap();
    let chunk = [b"10000\r\n".as_slice(), &[b'x'; 65_536], b"\r\n"].concat();
    let mut taken = 0;
    let endless = async {
        while sending.write_all(&chunk).await.is_ok() {
            taken += chunk.len();
        }
    };
    tokio::select! {
        () = endless => panic!("it was cut off"),
        () = another_bottle_is_served(&origin) => {}
    }
    // The kernel's buffers on the way hold some.
    assert!(taken < 32 << 20, "{taken} bytes were taken of a body that nobody reads");
    drop(held);

    let mut asking = scene.proxy();
    asking.write_all(REQUEST).await.unwrap();
    let (mut talking, _) = within(deaf.accept()).await.unwrap();
    talking.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
    let mut sent = 0;
    let endless = async {
        while talking.write_all(&chunk).await.is_ok() {
            sent += chunk.len();
        }
    };
    tokio::select! {
        () = endless => panic!("it was cut off"),
        () = another_bottle_is_served(&origin) => {}
    }
    assert!(sent < 32 << 20, "{sent} bytes were taken of an answer that nobody reads");
    drop(asking);
}

/// Small requests without end: each is recorded, what is kept of them for the agent to read is bounded.
#[tokio::test]
async fn a_great_many_small_requests() {
    let origin = Origin::plain().await;
    let scene = scene(origin.address, &origin.roots);
    let mut client = over(scene.proxy()).await;
    for number in 0..2_000 {
        let refused = send(&mut client, get(&format!("http://{number}.evil.example/"), &format!("{number}.evil.example"))).await;
        assert_eq!(refused.refusal(), "egress.host");
        assert_eq!(send(&mut client, get("http://a.example/x", "a.example")).await.status, 200);
    }
    assert_eq!((scene.refusals().len(), scene.passed(2_000).await.len()), (2_000, 2_000));
    let page = send(&mut client, get("http://policy.bottle.internal/policy.json", "policy.bottle.internal")).await;
    let page: serde_json::Value = serde_json::from_slice(&page.body).unwrap();
    let refused = page["refused"].as_array().unwrap();
    assert_eq!((refused.len(), &refused[49]["asked"]), (50, &"GET 1999.evil.example".into()));
}

/// What is kept of a refusal is short, however long the request was.
#[tokio::test]
async fn refusals_of_long_requests_are_kept_short() {
    let origin = Origin::plain().await;
    let scene = scene(origin.address, &origin.roots);
    let method = "M".repeat(30);
    let host = format!("{}.{}.{}.evil.example", "a".repeat(63), "b".repeat(63), "c".repeat(63));
    for long in [format!("{method} http://{host}/"), format!("{method} http://{}/", "a.".repeat(20_000))] {
        let request = format!("{long} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        exchange(scene.proxy(), request.as_bytes()).await;
    }
    assert_eq!(scene.refusals().len(), 2);
    let page = exchange(scene.proxy(), b"GET http://policy.bottle.internal/ HTTP/1.0\r\n\r\n").await;
    assert!(page.contains("MMM") && page.len() < 4_000, "{} bytes", page.len());
}

/// As many requests as streams allow on one connection, all waiting: another bottle is served, and so is the same one when they end.
#[tokio::test]
async fn streams_that_all_wait() {
    let origin = Origin::tls(&["h2"]).await;
    let plain = Origin::plain().await;
    let limits = Limits { streams: 8, ..small() };
    let scene = Setting { limits, ..Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots) }.start();
    let tunnel = scene.tunnel("a.example:443").await;
    let tls = scene.tls(tunnel, "a.example", &["h2"]).await.unwrap();
    let executor = hyper_util::rt::TokioExecutor::new();
    let (client, connection) = hyper::client::conn::http2::handshake(executor, hyper_util::rt::TokioIo::new(tls)).await.unwrap();
    tokio::spawn(connection);
    let mut waiting = JoinSet::new();
    for _ in 0..100 {
        let mut client = client.clone();
        waiting.spawn(async move {
            // A body that is begun and not ended, until it is dropped.
            let frames = Frames([Ok::<_, hyper::Error>(Frame::data(Bytes::from_static(b"x")))].into());
            let body = http_body_util::StreamBody::new(Unended(frames)).boxed_unsync();
            let request = http::Request::post("https://a.example/echo").body(body).unwrap();
            let _ = client.ready().await;
            client.send_request(request).await.is_ok()
        });
    }
    another_bottle_is_served(&plain).await;
    waiting.abort_all();
    while waiting.join_next().await.is_some() {}
    let mut client = scene.https("a.example").await;
    assert_eq!(send(&mut client, get("/x", "a.example")).await.body, "hello");
}

/// Frames that stop coming before the end.
struct Unended(Frames);

impl futures_core::Stream for Unended {
    type Item = Result<Frame<Bytes>, hyper::Error>;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Option<Self::Item>> {
        match std::pin::Pin::new(&mut self.0).poll_next(cx) {
            std::task::Poll::Ready(None) => std::task::Poll::Pending,
            other => other,
        }
    }
}

/// When the service is ended all that is open ends with it, whatever it was doing, and nothing new gets out.
#[tokio::test]
async fn killing_the_egress_task_ends_everything_that_is_open() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let rules = vec![
        rule("a.example", origin.address, |_| {}),
        rule("b.example", origin.address, |route| route.tls = policy::TlsMode::Passthrough),
    ];
    let mut scene = Setting::new(rules, &origin.roots).start();
    let mut socket = scene.tls(scene.tunnel("a.example:443").await, "a.example", &[]).await.unwrap();
    let upgrade = "GET /ws HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    socket.write_all(upgrade.as_bytes()).await.unwrap();
    assert!(crate::scene::head(&mut socket).await.starts_with("HTTP/1.1 101 "));
    let tunnel = scene.tunnel("b.example:443").await;
    let mut passed = crate::scene::tls_to(tunnel, "b.example", &[], origin.roots_store()).await.unwrap();
    let mut two = scene.http2("a.example").await;
    let mut half = scene.proxy();
    half.write_all(b"GET http://a.example/ HTTP/1.1\r\n").await.unwrap();
    let seen = origin.seen().len();
    scene.kill().await;
    assert!(!matches!(within(socket.read(&mut [0; 16])).await, Ok(1..)));
    assert!(!matches!(within(passed.read(&mut [0; 16])).await, Ok(1..)));
    assert!(!matches!(within(half.read(&mut [0; 16])).await, Ok(1..)));
    assert!(within(two.send_request(get("https://a.example/x", "a.example"))).await.is_err());
    assert_eq!(origin.seen().len(), seen);
}
