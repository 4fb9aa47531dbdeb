//! What is taken out of requests, and what is put in.

use http::Request;
use http_body_util::Full;

use crate::origin::Origin;
use crate::scene::{PLACEHOLDER, SECRET, Setting, get, over, send, send2, with_credential};

#[tokio::test]
async fn the_agents_placeholder_is_replaced() {
    for protocol in ["h2", "http/1.1"] {
        let origin = Origin::tls(&[protocol]).await;
        let scene = Setting::new(vec![with_credential("a.example", origin.address)], &origin.roots).start();
        let mut client = scene.https("a.example").await;
        let request = Request::get("/x")
            .header("host", "a.example")
            .header("authorization", format!("Bearer {PLACEHOLDER}"))
            .header("x-api-key", PLACEHOLDER)
            .header("private-token", PLACEHOLDER)
            .header("proxy-authorization", "Basic eDp5")
            .header("connection", "authorization, x-extra")
            .header("x-extra", "1");
        let got = send(&mut client, request.body(Full::default()).unwrap()).await;
        assert_eq!(got.status, 200);
        let seen = &origin.seen()[0];
        assert_eq!(seen.headers["authorization"], format!("Bearer {SECRET}"));
        for gone in ["x-api-key", "private-token", "proxy-authorization", "connection", "x-extra"] {
            assert!(!seen.headers.contains_key(gone), "{gone}");
        }
        assert!(!scene.written().contains("canary"));
    }
}

#[tokio::test]
async fn a_foreign_credential_is_refused_and_never_sent() {
    let origin = Origin::tls(&["h2"]).await;
    let scene = Setting::new(vec![with_credential("a.example", origin.address)], &origin.roots).start();
    let mut client = scene.https("a.example").await;
    for (name, value) in [
        ("authorization", "Bearer canary-of-an-attacker"),
        ("authorization", "canary-of-an-attacker"),
        ("x-api-key", "canary-of-an-attacker"),
        ("api-key", "canary-of-an-attacker"),
        ("cookie", "session=canary-of-an-attacker"),
        ("x-auth-token", "canary-of-an-attacker"),
        ("x_api_key", "canary-of-an-attacker"),
        ("x-authorization", "Bearer canary-of-an-attacker"),
        ("sec-websocket-protocol", "realtime, openai-insecure-api-key.canary-of-an-attacker"),
    ] {
        let request = Request::get("/x").header("host", "a.example").header(name, value).body(Full::default()).unwrap();
        let got = send(&mut client, request).await;
        assert_eq!((got.status.as_u16(), got.refusal()), (403, "egress.foreign_credential"), "{name}");
    }
    assert!(origin.seen().is_empty());
    assert_eq!(scene.refusals().len(), 9);
    assert!(!scene.written().contains("canary"));
}

#[tokio::test]
async fn without_the_credential_nothing_is_sent() {
    let origin = Origin::tls(&["h2"]).await;
    let rules = vec![with_credential("a.example", origin.address)];
    let scene = Setting { credential: None, ..Setting::new(rules, &origin.roots) }.start();
    let mut client = scene.http2("a.example").await;
    let got = send2(&mut client, get("https://a.example/x", "a.example")).await;
    assert_eq!((got.status.as_u16(), got.refusal()), (403, "egress.no_credential"));
    // Where the person keeps it is no affair of the agent's.
    let told = String::from_utf8_lossy(&got.body);
    assert!(told.contains("none could be had") && told.contains("the person has to") && !told.contains("variable T"), "{told}");
    assert!(origin.seen().is_empty());
    assert_eq!(scene.only_refusal().0, "egress.no_credential");
}

#[tokio::test]
async fn a_credential_does_not_travel_unprotected() {
    let origin = Origin::plain().await;
    let mut rule = with_credential("a.example", origin.address);
    rule.route.dial = Some("192.0.2.1:80".parse().unwrap());
    let scene = Setting::new(vec![rule], &origin.roots).start();
    let got = send(&mut over(scene.proxy()).await, get("http://a.example/x", "a.example")).await;
    assert_eq!((got.status.as_u16(), got.refusal()), (403, "egress.plaintext"));
}

#[tokio::test]
async fn a_credential_that_is_rejected_is_told_to_its_source() {
    let origin = Origin::tls(&["h2"]).await;
    let scene = Setting::new(vec![with_credential("a.example", origin.address)], &origin.roots).start();
    let mut client = scene.https("a.example").await;
    assert_eq!(send(&mut client, get("/401", "a.example")).await.status, 401);
    assert_eq!(send(&mut client, get("/x", "a.example")).await.status, 200);
    assert_eq!(*scene.rejected.lock().unwrap(), [SECRET]);
}

#[tokio::test]
async fn trace_would_repeat_the_credential() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = Setting::new(vec![with_credential("a.example", origin.address)], &origin.roots).start();
    let mut client = scene.https("a.example").await;
    let request = Request::builder().method("TRACE").uri("/x").header("host", "a.example").body(Full::default()).unwrap();
    assert_eq!(send(&mut client, request).await.refusal(), "egress.request");
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn a_push_goes_through_the_git_gate_alone() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = Setting::new(vec![with_credential("a.example", origin.address)], &origin.roots).start();
    let mut client = scene.https("a.example").await;
    for path in [
        "/repo.git/info/refs?service=git-receive-pack",
        "/repo.git/info/refs%3fservice=git-receive-pack",
        "/repo.git/git-receive-pack",
        "/repo.git/git%2dreceive-pack",
        "/repo.git/git-receive-pack%3f",
        "/repo.git/git-receive-pack%23",
        "/repo.git/git-receive-pack%00",
        "/repo.git/git-receive-pack%20",
        "/repo.git/git-receive-pack%253f",
        "/repo.git/git-receive-pack%ef%bc%8f",
    ] {
        assert_eq!(send(&mut client, get(path, "a.example")).await.refusal(), "egress.git_push", "{path}");
    }
    assert_eq!(send(&mut client, get("/repo.git/info/refs?service=git-upload-pack", "a.example")).await.status, 200);
    assert_eq!(origin.seen().len(), 1);
}
