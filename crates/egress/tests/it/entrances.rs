//! Every way into the service, from a request to its answer.

use policy::{Code, TlsMode};

use crate::origin::Origin;
use crate::scene::{Setting, exchange, get, over, rule, send, send2, tls_to, with_credential, within};

#[tokio::test]
async fn https_through_connect() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let mut client = scene.https("a.example").await;
    for _ in 0..3 {
        let got = send(&mut client, get("/x?query=canary", "a.example")).await;
        assert_eq!((got.status.as_u16(), &got.body[..]), (200, &b"hello"[..]));
    }
    assert_eq!(origin.seen().len(), 3);
    assert_eq!(origin.seen()[0].uri.to_string(), "/x?query=canary");
    let passed = scene.passed(3).await;
    assert_eq!(
        (&passed[0]["method"], &passed[0]["to"], &passed[0]["status"]),
        (&"GET".into(), &"https://a.example".into(), &200.into())
    );
    assert_eq!((&passed[0]["received"], passed[0].get("failed"), passed[0].get("path")), (&5.into(), None, None));
    assert!(!scene.written().contains("canary"));
    scene.end().await;
}

#[tokio::test]
async fn http2_on_either_side() {
    for protocols in [&["h2"][..], &["http/1.1"]] {
        let origin = Origin::tls(protocols).await;
        let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
        let mut client = scene.http2("a.example").await;
        let got = send2(&mut client, get("https://a.example/x", "a.example")).await;
        assert_eq!((got.status.as_u16(), &got.body[..]), (200, &b"hello"[..]));
        let mut client = scene.https("a.example").await;
        assert_eq!(send(&mut client, get("/x", "a.example")).await.status, 200);
        assert_eq!(origin.seen().len(), 2);
    }
}

#[tokio::test]
async fn plain_http_by_an_absolute_target() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let mut client = over(scene.proxy()).await;
    assert_eq!(send(&mut client, get("http://a.example/x", "a.example")).await.body, "hello");
    let got = send(&mut client, get("http://evil.example/x", "evil.example")).await;
    assert_eq!((got.status.as_u16(), got.refusal()), (403, "egress.host"));
    assert_eq!(send(&mut client, get("http://a.example/x", "a.example")).await.body, "hello");
    assert_eq!(scene.only_refusal(), ("egress.host".into(), "GET evil.example".into()));
    assert_eq!(origin.seen().len(), 2);
    assert_eq!(origin.seen()[0].headers["host"], "a.example");
}

#[tokio::test]
async fn a_connection_by_a_program_that_knows_no_proxy() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let plain = Origin::plain().await;
    let rules = vec![rule("a.example", origin.address, |_| {}), rule("b.example", plain.address, |_| {})];
    let scene = Setting::new(rules, &origin.roots).start();
    let (a, b) = (scene.resolve("a.example").await.unwrap(), scene.resolve("b.example").await.unwrap());
    let tls = scene.tls(scene.transparent(&format!("{a}:443")), "a.example", &[]).await.unwrap();
    assert_eq!(send(&mut over(tls).await, get("/x", "a.example")).await.body, "hello");
    let mut client = over(scene.transparent(&format!("{b}:80"))).await;
    assert_eq!(send(&mut client, get("/x", "b.example")).await.body, "hello");
    assert_eq!(scene.resolve("evil.example").await, None);
    assert_eq!(scene.only_refusal(), ("egress.host".to_owned(), "A evil.example".to_owned()));
}

#[tokio::test]
async fn an_address_that_stands_for_nothing() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let answer = exchange(scene.transparent("203.0.113.7:80"), b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains(Code::Address.as_str()), "{answer}");
    assert!(scene.tls(scene.transparent("203.0.113.7:443"), "a.example", &[]).await.is_err());
    let refusals = scene.refusals();
    assert_eq!(refusals.len(), 2);
    assert_eq!((&refusals[1]["code"], &refusals[1]["kind"]), (&"egress.address".into(), &"tls".into()));
    assert_eq!(refusals[1]["destination"], "203.0.113.7:443");
}

#[tokio::test]
async fn an_address_that_a_rule_names() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![rule("192.0.2.7", origin.address, |_| {})], &origin.roots).start();
    let mut client = over(scene.transparent("192.0.2.7:80")).await;
    assert_eq!(send(&mut client, get("/x", "192.0.2.7")).await.body, "hello");
    let tunnel = scene.tunnel("192.0.2.7:443").await;
    // The certificate is for the address; the origin speaks no TLS, so that the answer is ours.
    let mut client = over(scene.tls(tunnel, "192.0.2.7", &[]).await.unwrap()).await;
    assert_eq!(send(&mut client, get("/x", "192.0.2.7")).await.status, 502);
}

#[tokio::test]
async fn tls_that_is_passed_on_unopened() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let rules = vec![rule("a.example", origin.address, |route| route.tls = TlsMode::Passthrough)];
    let scene = Setting::new(rules, &origin.roots).start();
    let tunnel = scene.tunnel("a.example:443").await;
    // A client that trusts the bottle's authority alone does not accept the true certificate.
    assert!(scene.tls(tunnel, "a.example", &[]).await.is_err());
    let tunnel = scene.tunnel("a.example:443").await;
    let roots = origin.roots_store();
    let mut client = over(tls_to(tunnel, "a.example", &[], roots).await.unwrap()).await;
    assert_eq!(send(&mut client, get("/x", "a.example")).await.body, "hello");
    drop(client);
    let passed = scene.passed(2).await;
    assert_eq!((&passed[1]["method"], &passed[1]["to"]), (&"TLS".into(), &"https://a.example".into()));
    assert!(passed[1]["sent"].as_u64().unwrap() > 100 && passed[1]["received"].as_u64().unwrap() > 100);
}

#[tokio::test]
async fn what_is_neither_tls_nor_http_is_closed() {
    let origin = Origin::plain().await;
    let rules = vec![with_credential("a.example", origin.address)];
    let scene = Setting::new(rules, &origin.roots).start();
    let answer = exchange(scene.proxy(), b"SSH-2.0-OpenSSH_9\r\n").await;
    assert!(answer.contains("egress.protocol"), "{answer}");
    let answer = exchange(scene.tunnel("a.example:443").await, b"EHLO a\r\n").await;
    assert!(answer.contains("egress.protocol"), "{answer}");
    let answer = exchange(scene.transparent("198.18.0.9:22"), b"SSH-2.0-OpenSSH_9\r\n").await;
    assert!(answer.starts_with("bot-bottle: SSH does not leave this bottle; "), "{answer}");
    let kinds: Vec<_> = scene.refusals().iter().map(|record| record["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["unknown", "unknown", "ssh"]);
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn killing_the_service_opens_nothing() {
    let origin = Origin::plain().await;
    let mut scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let mut client = over(scene.proxy()).await;
    assert_eq!(send(&mut client, get("http://a.example/x", "a.example")).await.body, "hello");
    scene.kill().await;
    assert!(within(client.send_request(get("http://a.example/x", "a.example"))).await.is_err());
    assert_eq!(origin.seen().len(), 1);
}
