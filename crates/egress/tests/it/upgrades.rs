//! Connections that change their protocol.

use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::origin::Origin;
use crate::scene::{SECRET, Setting, exchange, get, head, rule, send, with_credential, within};

const WS: &str = "GET /ws HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
                  Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

#[tokio::test]
async fn web_socket_after_the_other_end_agreed() {
    let origin = Origin::tls(&["h2", "http/1.1"]).await;
    let scene = Setting::new(vec![with_credential("a.example", origin.address)], &origin.roots).start();
    let tunnel = scene.tunnel("a.example:443").await;
    let mut tls = scene.tls(tunnel, "a.example", &["http/1.1"]).await.unwrap();
    tls.write_all(WS.as_bytes()).await.unwrap();
    let answer = head(&mut tls).await;
    assert!(answer.starts_with("HTTP/1.1 101 ") && answer.contains("sec-websocket-accept: accepted\r\n"), "{answer}");
    for message in [&b"\x81\x85 any bytes \n\r\0"[..], b"GET / HTTP/1.1\nnot read as a request"] {
        within(tls.write_all(message)).await.unwrap();
        let mut echo = vec![0; message.len()];
        within(tls.read_exact(&mut echo)).await.unwrap();
        assert_eq!(echo, message);
    }
    tls.shutdown().await.unwrap();
    within(tls.read_to_end(&mut Vec::new())).await.unwrap();
    let seen = &origin.seen()[0];
    assert_eq!(seen.headers["authorization"], format!("Bearer {SECRET}"));
    assert_eq!(seen.headers["sec-websocket-version"], "13");
    assert!(!seen.headers.contains_key("sec-websocket-extensions"));
    let passed = scene.passed(1).await;
    assert_eq!((&passed[0]["status"], &passed[0]["sent"], &passed[0]["received"]), (&101.into(), &52.into(), &52.into()));
    assert!(scene.refusals().is_empty());
}

/// Whoever leaves, and however: programs end without TLS's last word, and it is no fault of the other end.
#[tokio::test]
async fn a_web_socket_that_one_side_leaves_has_ended_well() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = Setting::new(vec![with_credential("a.example", origin.address)], &origin.roots).start();
    for path in ["/ws", "/ws/leaves"] {
        let tunnel = scene.tunnel("a.example:443").await;
        let mut tls = scene.tls(tunnel, "a.example", &["http/1.1"]).await.unwrap();
        tls.write_all(WS.replace("/ws", path).as_bytes()).await.unwrap();
        assert!(head(&mut tls).await.starts_with("HTTP/1.1 101 "));
        within(tls.write_all(b"last")).await.unwrap();
        within(tls.read_exact(&mut [0; 4])).await.unwrap();
        if path == "/ws/leaves" {
            within(tls.read_to_end(&mut Vec::new())).await.unwrap();
        }
        // Dropped as it is: no close_notify.
    }
    for passed in scene.passed(2).await {
        assert_eq!((&passed["status"], passed.get("failed")), (&101.into(), None), "{passed}");
    }
}

/// What a session's end finds open is recorded with what has passed through it.
#[tokio::test]
async fn a_web_socket_that_is_open_at_the_end_is_recorded() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let mut scene = Setting::new(vec![with_credential("a.example", origin.address)], &origin.roots).start();
    let tunnel = scene.tunnel("a.example:443").await;
    let mut tls = scene.tls(tunnel, "a.example", &["http/1.1"]).await.unwrap();
    tls.write_all(WS.as_bytes()).await.unwrap();
    assert!(head(&mut tls).await.starts_with("HTTP/1.1 101 "));
    within(tls.write_all(b"last")).await.unwrap();
    within(tls.read_exact(&mut [0; 4])).await.unwrap();
    scene.kill().await;
    let passed = &scene.passed(1).await[0];
    assert_eq!((&passed["sent"], &passed["received"], passed.get("failed")), (&4.into(), &4.into(), None), "{passed}");
}

#[tokio::test]
async fn a_web_socket_whose_other_end_breaks_off_says_so() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = Setting::new(vec![with_credential("a.example", origin.address)], &origin.roots).start();
    let tunnel = scene.tunnel("a.example:443").await;
    let mut tls = scene.tls(tunnel, "a.example", &["http/1.1"]).await.unwrap();
    tls.write_all(WS.replace("/ws", "/ws/breaks").as_bytes()).await.unwrap();
    assert!(head(&mut tls).await.starts_with("HTTP/1.1 101 "));
    within(tls.write_all(b"last")).await.unwrap();
    let _ = within(tls.read_to_end(&mut Vec::new())).await;
    assert_eq!(scene.passed(1).await[0]["failed"], "egress.upstream");
}

#[tokio::test]
async fn a_refused_web_socket_leaves_the_connection_to_http() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let mut client = scene.https("a.example").await;
    let ask = |path: &str| {
        let request = get(path, "a.example");
        let (mut parts, body) = request.into_parts();
        parts.headers.insert("connection", "upgrade".parse().unwrap());
        parts.headers.insert("upgrade", "websocket".parse().unwrap());
        Request::from_parts(parts, body)
    };
    assert_eq!(send(&mut client, ask("/x")).await.body, "hello");
    assert_eq!(send(&mut client, get("/x", "a.example")).await.body, "hello");
}

#[tokio::test]
async fn h2c_is_not_taken_and_other_protocols_are_refused() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let ask = |upgrade: &str| {
        format!(
            "GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade, HTTP2-Settings, close\r\n\
             Upgrade: {upgrade}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
        )
    };
    let answer = exchange(scene.proxy(), ask("h2c").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("hello"), "{answer}");
    let seen = &origin.seen()[0].headers;
    assert!(!seen.contains_key("upgrade") && !seen.contains_key("http2-settings"));
    let answer = exchange(scene.proxy(), ask("raw").as_bytes()).await;
    assert!(answer.contains("egress.upgrade"), "{answer}");
    assert_eq!(origin.seen().len(), 1);
}

#[tokio::test]
async fn extended_connect_is_not_offered() {
    let origin = Origin::tls(&["h2"]).await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let tunnel = scene.tunnel("a.example:443").await;
    let tls = scene.tls(tunnel, "a.example", &["h2"]).await.unwrap();
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(hyper_util::rt::TokioExecutor::new(), TokioIo::new(tls)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::connect("a.example:443").body(Empty::<bytes::Bytes>::new().boxed()).unwrap();
    let answer = within(client.send_request(request)).await;
    assert!(answer.map_or(true, |answer| answer.status() == 400));
    assert!(origin.seen().is_empty());
}
