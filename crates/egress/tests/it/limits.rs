//! Bounds: a bottle that reaches one waits or is refused.

use std::time::Duration;

use egress::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::origin::Origin;
use crate::scene::{Setting, exchange, get, over, rule, send, send2, within};

#[tokio::test]
async fn more_connections_than_places_wait_for_their_turn() {
    let origin = Origin::plain().await;
    let limits = Limits { connections: 2, ..Limits::default() };
    let scene = Setting { limits, ..Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots) }.start();
    let (first, second) = (scene.proxy(), scene.proxy());
    let mut third = scene.proxy();
    let request = b"GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";
    third.write_all(request).await.unwrap();
    assert!(exchange(first, request).await.ends_with("hello"));
    drop(second);
    assert!(exchange(third, b"").await.ends_with("hello"));
}

#[tokio::test]
async fn heads_are_bounded_in_bytes_and_in_number() {
    let origin = Origin::plain().await;
    let limits = Limits { head_bytes: 8192, headers: 10, ..Limits::default() };
    let scene = Setting { limits, ..Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots) }.start();
    let long = format!("X: {}\r\n", "a".repeat(9000));
    let many = "X: a\r\n".repeat(10);
    for fields in [long, many] {
        let request = format!("GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\n{fields}\r\n");
        let answer = exchange(scene.proxy(), request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431 ") && answer.contains("egress.too_large"), "{answer}");
    }
    assert_eq!(scene.refusals().len(), 2);
    assert!(origin.seen().is_empty());
}

/// With the limits that a bottle has: the HTTP server behind the guard never answers by itself.
#[tokio::test]
async fn every_refusal_of_a_head_says_its_code_and_what_to_do() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let target = |path: &[u8]| [b"GET http://a.example", path, b" HTTP/1.1\r\nHost: a.example\r\n\r\n"].concat();
    let fields = |fields: String| format!("GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\n{fields}\r\n").into_bytes();
    let cases = [
        (target(b"/a<b"), "400 ", "egress.malformed"),
        (target(b"/a>b"), "400 ", "egress.malformed"),
        (target(b"/a`b"), "400 ", "egress.malformed"),
        (target(b"/x?a=<b>"), "400 ", "egress.malformed"),
        (target(b"/x?a=\""), "400 ", "egress.malformed"),
        (target(b"/a\xff"), "400 ", "egress.malformed"),
        (target(b"/a\xc3\x28"), "400 ", "egress.malformed"),
        (target(&[b"/", &vec![b'a'; 65_490][..]].concat()), "431 ", "egress.too_large"),
        (target(&[b"/", &vec![b'a'; 70_000][..]].concat()), "431 ", "egress.too_large"),
        (fields(format!("X: {}\r\n", "a".repeat(70_000))), "431 ", "egress.too_large"),
        (fields("X: a\r\n".repeat(100)), "431 ", "egress.too_large"),
        (fields("X: a\r\n".repeat(20_000)), "431 ", "egress.too_large"),
    ];
    for (number, (request, status, code)) in cases.iter().enumerate() {
        let answer = exchange(scene.proxy(), request).await;
        let shown = String::from_utf8_lossy(&request[..request.len().min(60)]);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{shown}: {answer}");
        assert!(answer.contains(&format!("x-bottle-refusal: {code}\r\n")), "{shown}: {answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert!(body["code"] == *code && body["message"].is_string() && body["hint"].is_string(), "{shown}: {body}");
        assert_eq!(scene.refusals().len(), number + 1, "{shown}");
    }
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn what_browsers_and_curl_leave_as_it_is_in_a_target_passes_as_it_is() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    for target in ["/a|b^c", "/{id}", "/\"q\"", "/x?q={a}|`b`^[c]"] {
        let request = format!("GET http://a.example{target} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
        let answer = exchange(scene.proxy(), request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{target}: {answer}");
        assert_eq!(origin.seen().last().unwrap().uri, target);
    }
}

#[tokio::test]
async fn an_http2_head_above_the_limit_is_answered_in_full_and_the_connection_goes_on() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let mut client = scene.http2("a.example").await;
    let large = http::Request::get("https://a.example/x").header("x", "a".repeat(70_000));
    let many = (0..101).fold(http::Request::get("https://a.example/x"), |request, _| request.header("x", "a"));
    for request in [large, many] {
        let answer = send2(&mut client, request.body(Default::default()).unwrap()).await;
        assert_eq!((answer.status.as_u16(), &answer.headers["x-bottle-refusal"]), (431, &"egress.too_large".parse().unwrap()));
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert!(body["message"].is_string() && body["hint"].is_string(), "{body}");
    }
    assert_eq!(scene.refusals().len(), 2);
    assert!(origin.seen().is_empty());
    let small = http::Request::get("https://a.example/x").body(Default::default()).unwrap();
    assert_eq!(send2(&mut client, small).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn one_that_says_nothing_or_half_of_something_is_closed() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    for (sent, code) in [
        (&b""[..], "egress.protocol"),
        (b"GE", "egress.protocol"),
        (b"GET http://a.example/ HTTP/1.1\r\nHost: a.ex", "egress.malformed"),
    ] {
        let mut stream = scene.proxy();
        stream.write_all(sent).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains(code), "{sent:?}: {answer}");
    }
    assert_eq!(scene.refusals().len(), 3);
}

#[tokio::test]
async fn an_idle_connection_ends_and_one_that_waits_for_an_answer_does_not() {
    let origin = Origin::plain().await;
    let limits = Limits { idle: Duration::from_millis(50), ..Limits::default() };
    let scene = Setting { limits, ..Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots) }.start();
    let mut idle = scene.proxy();
    let request = b"GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n";
    idle.write_all(request).await.unwrap();
    let mut answer = String::new();
    within(idle.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.ends_with("hello"));
    // A body that comes slowly: longer than an idle connection would be kept.
    let mut slow = scene.proxy();
    slow.write_all(b"POST http://a.example/echo HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\n").await.unwrap();
    for byte in [b"s", b"l", b"o", b"w"] {
        tokio::time::sleep(limits.idle).await;
        slow.write_all(byte).await.unwrap();
    }
    let mut answer = String::new();
    within(slow.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.ends_with("slow"), "{answer}");
    assert!(scene.refusals().is_empty());
}

#[tokio::test]
async fn many_connections_and_requests_leave_nothing_behind() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    for _ in 0..300 {
        let mut client = over(scene.proxy()).await;
        assert_eq!(send(&mut client, get("http://a.example/x", "a.example")).await.status, 200);
    }
    assert_eq!(scene.passed(300).await.len(), 300);
    scene.end().await;
}
