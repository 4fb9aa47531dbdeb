//! The person's credentials, and other people's.

use http::Request;
use http_body_util::Full;
use policy::{Account, Rule};
use secret::Secret;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::trial::Trial;
use crate::origin::Origin;
use crate::scene::{PLACEHOLDER, SECRET, Setting, exchange, get, head, rule, send, send2, with_credential, within};

const FOREIGN: &str = "egress.foreign_credential";

#[tokio::test]
async fn of_two_credentials_in_a_request_none_is_foreign() {
    let origin = Origin::tls(&["http/1.1"]).await;
    // One bottle is paid outside, the other was given a key of the person's.
    let given = Rule { account: Account::Ours, ..rule("b.example", origin.address, |_| {}) };
    let rules = vec![with_credential("a.example", origin.address), given];
    let scene = Setting { known: vec![Secret::from("given")], ..Setting::new(rules, &origin.roots) }.start();
    let mut trial = Trial::of(&scene);
    for (host, good) in [("a.example", PLACEHOLDER), ("b.example", "given")] {
        let mut client = scene.https(host).await;
        let mut ask = async |values: &[&str]| {
            let request = Request::get("/x").header("host", host);
            let request = values.iter().fold(request, |request, value| request.header("authorization", *value));
            send(&mut client, request.body(Full::default()).unwrap()).await
        };
        assert_eq!(ask(&[&format!("Bearer {good}")]).await.body, "hello");
        for values in [
            vec![format!("Bearer theirs {good}")],
            vec![format!("Bearer {good} theirs")],
            vec![format!("Bearer theirs, Bearer {good}")],
            vec![format!("Bearer\ttheirs\t{good}")],
            vec![format!("Bearer {good}"), "Bearer theirs".to_owned()],
            vec!["Bearer theirs".to_owned(), format!("Bearer {good}")],
            vec![format!("Bearer {good}\u{1}theirs")],
        ] {
            let values: Vec<&str> =
                values.iter().map(String::as_str).filter(|value| value.parse::<http::HeaderValue>().is_ok()).collect();
            if values.is_empty() {
                continue;
            }
            assert_eq!(ask(&values).await.refusal(), FOREIGN, "{values:?}");
            assert_eq!(trial.code(values[0]), FOREIGN);
        }
    }
    assert_eq!(origin.seen().len(), 2);
}

/// The placeholder opens nothing, wherever it is sent.
#[tokio::test]
async fn the_placeholder_is_worth_nothing() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let unpaid = Rule { account: Account::Ours, ..rule("b.example", origin.address, |_| {}) };
    let rules = vec![with_credential("a.example", origin.address), unpaid];
    let scene = Setting::new(rules, &origin.roots).start();
    let mut trial = Trial::of(&scene);
    let request =
        |host: &str| Request::get("/x").header("host", host).header("x-api-key", PLACEHOLDER).body(Full::default()).unwrap();
    // Nobody pays there.
    assert_eq!(send(&mut scene.https("b.example").await, request("b.example")).await.refusal(), "egress.no_credential");
    assert_eq!(trial.code("b.example"), "egress.no_credential");
    assert_eq!(send(&mut scene.https("a.example").await, request("a.example")).await.body, "hello");
    assert!(!origin.seen()[0].headers.contains_key("x-api-key"));
    assert_eq!(origin.seen()[0].headers["authorization"], format!("Bearer {SECRET}"));
}

/// An answer to TRACE repeats the request with the credential in it (RFC 9110 §9.3.8).
#[tokio::test]
async fn trace_in_every_spelling() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = Setting::new(vec![with_credential("a.example", origin.address)], &origin.roots).start();
    let mut trial = Trial::of(&scene);
    let (mut one, mut two) = (scene.https("a.example").await, scene.http2("a.example").await);
    for method in ["TRACE", "trace", "Trace", "TRACK"] {
        let request = |uri: &str| {
            let request = Request::builder().method(method).uri(uri).header("max-forwards", "0");
            request.header("host", "a.example").body(Full::default()).unwrap()
        };
        assert_eq!(send(&mut one, request("/x")).await.refusal(), "egress.request");
        trial.code(method);
        assert_eq!(send2(&mut two, request("https://a.example/x")).await.refusal(), "egress.request");
        trial.code(method);
    }
    assert!(origin.seen().is_empty());
}

/// What a server gives to whoever has shown the person's credential may open their account as well.
#[tokio::test]
async fn a_session_cookie_does_not_come_in() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let rules = vec![with_credential("a.example", origin.address), rule("b.example", origin.address, |_| {})];
    let scene = Setting::new(rules, &origin.roots).start();
    let got = send(&mut scene.https("a.example").await, get("/login", "a.example")).await;
    assert_eq!(got.body, "welcome");
    assert!(!format!("{:?}", got.headers).contains("canary"), "{:?}", got.headers);
    // Where nothing was put in, cookies are the bottle's own.
    let got = send(&mut scene.https("b.example").await, get("/login", "b.example")).await;
    assert!(got.headers.contains_key("set-cookie"));
}

const WS: &str = "GET /ws HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

/// Compressed frames could not be looked into; a server that compresses unasked is not believed either.
#[tokio::test]
async fn web_socket_compression_is_not_agreed_to() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let tunnel = scene.tunnel("a.example:443").await;
    let mut tls = scene.tls(tunnel, "a.example", &[]).await.unwrap();
    tls.write_all(format!("{WS}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n").as_bytes()).await.unwrap();
    let answer = head(&mut tls).await;
    assert!(answer.starts_with("HTTP/1.1 101 ") && !answer.contains("extensions"), "{answer}");
    assert!(!origin.seen()[0].headers.contains_key("sec-websocket-extensions"));
}

/// What is sent before the other end has agreed is no WebSocket yet, and what would be a request's body is none either.
#[tokio::test]
async fn an_upgrade_before_the_upstreams_101() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let mut trial = Trial::of(&scene);
    let opened = async || {
        let tunnel = scene.tunnel("a.example:443").await;
        scene.tls(tunnel, "a.example", &[]).await.unwrap()
    };
    for body in ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"] {
        let answer = exchange(opened().await, format!("{WS}{body}").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert_eq!(trial.code(body), "egress.malformed");
    }
    // Frames at once behind the head: bytes that are no request before the gate is open.
    let answer = exchange(opened().await, format!("{WS}\r\n\u{1}\0\0\0secret\n").as_bytes()).await;
    assert!(!answer.contains("secret"), "{answer}");
    assert_eq!(trial.code("frames at once"), "egress.malformed");
    // One that does not agree goes on reading requests, each of which is judged.
    let refused = WS.replace("/ws", "/x");
    let hidden = "GET /hidden HTTP/1.1\r\nHost: b.example\r\nConnection: close\r\n\r\n";
    let answer = exchange(opened().await, format!("{refused}\r\n{hidden}").as_bytes()).await;
    assert!(answer.contains("hello") && answer.contains("egress.authority"), "{answer}");
    assert_eq!(trial.code("a request behind it"), "egress.authority");
    assert!(origin.seen().iter().all(|seen| seen.uri != "/hidden"));
}

/// Early data (RFC 8470) may be replayed, and comes before the handshake has ended: none is taken.
#[tokio::test]
async fn early_data_is_not_taken() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(scene.roots_store()).with_no_client_auth();
    config.enable_early_data = true;
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let name = rustls::pki_types::ServerName::try_from("a.example").unwrap();
        let mut tls = within(connector.connect(name, scene.tunnel("a.example:443").await)).await.unwrap();
        let request = "GET /x HTTP/1.1\r\nHost: a.example\r\nEarly-Data: 1\r\nConnection: close\r\n\r\n";
        tls.write_all(request.as_bytes()).await.unwrap();
        // Read to the end, so that the tickets behind the handshake are seen.
        within(tls.read_to_end(&mut Vec::new())).await.unwrap();
        assert!(!tls.get_ref().1.is_early_data_accepted());
        kinds.push(tls.get_ref().1.handshake_kind().unwrap());
    }
    assert_eq!(kinds, [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed]);
    assert!(origin.seen().iter().all(|seen| !seen.headers.contains_key("early-data")));
}

/// The bottle learns by which rule it was refused, and not where on the host that is written.
#[tokio::test]
async fn a_refusal_tells_no_folder_of_the_host() {
    let origin = Origin::plain().await;
    let file = "/home/canary-of-the-person/.bot-bottle/bottles/work.md".into();
    let rule = Rule { origin: policy::Origin::File { file, line: 12 }, ..rule("a.example", origin.address, |_| {}) };
    let scene = Setting::new(vec![rule], &origin.roots).start();
    let request = "CONNECT a.example:22 HTTP/1.1\r\nHost: a.example:22\r\n\r\n";
    let answer = exchange(scene.proxy(), request.as_bytes()).await;
    assert!(answer.contains("\"rule\":\"work.md:12\"") && !answer.contains("canary"), "{answer}");
    let page = exchange(scene.proxy(), b"GET http://policy.bottle.internal/policy.json HTTP/1.0\r\n\r\n").await;
    assert!(page.contains("a.example") && !page.contains("canary"), "{page}");
}
