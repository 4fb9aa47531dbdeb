//! Messages that could be read in two ways.

use crate::origin::Origin;
use crate::scene::{Setting, exchange, rule};

#[tokio::test]
async fn smuggling_is_answered_closed_and_recorded_once() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let hidden = "GET http://a.example/hidden HTTP/1.1\r\nHost: a.example\r\n\r\n";
    let cases = [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "Content-Length: 4\r\nContent-Length: 0\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "X: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "X: a\nContent-Length: 4\r\n\r\n",
        "X: a\0\r\n\r\n",
        "Host: b.example\r\n\r\n",
    ];
    for (number, case) in cases.iter().enumerate() {
        let request = format!("POST http://a.example/x HTTP/1.1\r\nHost: a.example\r\n{case}{hidden}");
        let answer = exchange(scene.proxy(), request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{case:?}: {answer}");
        assert!(answer.contains("x-bottle-refusal: egress.malformed\r\n"), "{case:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count() - answer.matches("target HTTP/1.1`").count(), 1, "{answer}");
        assert_eq!(scene.refusals().len(), number + 1, "{case:?}");
    }
    assert!(origin.seen().is_empty());
}

/// Threat: `GET http://a.example#x` written as `GET  HTTP/1.1`, an empty target that every server takes differently.
#[tokio::test]
async fn a_fragment_is_no_part_of_a_target() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    for target in ["http://a.example#x", "http://a.example/#x", "http://a.example/x?y#z", "http://a.example?y#z"] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
        let answer = exchange(scene.proxy(), request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("x-bottle-refusal: egress.malformed\r\n"), "{answer}");
    }
    assert!(origin.seen().is_empty());
    for (target, sent) in [("http://a.example", "/"), ("http://a.example?y", "/?y")] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
        assert!(exchange(scene.proxy(), request.as_bytes()).await.starts_with("HTTP/1.1 200 "), "{target}");
        assert_eq!(origin.seen().last().unwrap().uri, *sent);
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_its_framing_is_answered_and_recorded_once() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let request = "POST http://a.example/echo HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    for end in ["5;x=y\r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "zz\r\n"] {
        let mut stream = scene.proxy();
        tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
        let answer = exchange(stream, end.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{end:?}: {answer}");
    }
    assert_eq!(scene.refusals().len(), 3);
    assert!(scene.refusals().iter().all(|record| record["code"] == "egress.malformed"));
    assert!(origin.seen().iter().all(|seen| seen.body.is_empty()));
}

#[tokio::test]
async fn what_follows_a_refused_connect_is_not_read_as_a_request() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let request = "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n\
                   GET http://a.example/hidden HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let answer = exchange(scene.proxy(), request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.matches("HTTP/1.1 ").count() == 1, "{answer}");
    assert_eq!(scene.only_refusal(), ("egress.host".to_owned(), "CONNECT evil.example:443".to_owned()));
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let one = "POST http://a.example/echo HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\n\r\n";
    let last = "GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";
    let answer = exchange(scene.proxy(), format!("{one}1st{one}2nd{last}").as_bytes()).await;
    let bodies: Vec<&str> = answer.split("HTTP/1.1 200 OK").skip(1).map(|part| part.split("\r\n\r\n").nth(1).unwrap()).collect();
    assert_eq!(bodies, ["1st", "2nd", "hello"]);
}
