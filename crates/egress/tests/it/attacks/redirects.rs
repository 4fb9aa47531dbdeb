//! Answers that send the client, and what it carries, elsewhere.

use http::Request;
use http_body_util::Full;

use super::trial::Trial;
use crate::origin::Origin;
use crate::scene::{PLACEHOLDER, SECRET, Setting, rule, send, with_credential};

/// A redirect is the answer of the server, and what comes of it a request like any other: refused, or without the credential.
#[tokio::test]
async fn redirects_take_no_credential_along() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let rules = vec![with_credential("a.example", origin.address), rule("b.example", origin.address, |_| {})];
    let scene = Setting::new(rules, &origin.roots).start();
    let mut trial = Trial::of(&scene);
    let with_placeholder = |path: &str, host: &str| {
        let request = Request::get(path).header("host", host).header("authorization", format!("Bearer {PLACEHOLDER}"));
        request.body(Full::default()).unwrap()
    };
    let mut client = scene.https("a.example").await;
    for to in ["https://evil.example/take", "https://b.example/take", "http://a.example/take", "//evil.example/take"] {
        let got = send(&mut client, with_placeholder(&format!("/redirect?{to}"), "a.example")).await;
        // Not followed outside.
        assert_eq!((got.status.as_u16(), got.headers["location"].to_str().unwrap()), (302, to));
    }
    assert!(origin.seen().iter().all(|seen| seen.headers["authorization"] == format!("Bearer {SECRET}")));
    trial.none("a redirect by itself");

    trial.at_the_proxy("CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n", "egress.host").await;
    let mut client = scene.https("b.example").await;
    assert_eq!(send(&mut client, with_placeholder("/take", "b.example")).await.body, "hello");
    assert_eq!(origin.seen().last().unwrap().headers["authorization"], format!("Bearer {PLACEHOLDER}"));
    assert_eq!(origin.seen().len(), 5);
    assert!(!scene.written().contains("canary"));
}
