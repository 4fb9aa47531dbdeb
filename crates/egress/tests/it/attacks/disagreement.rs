//! The places that name a host disagree, name it twice, hide it or leave it out.

use std::sync::Arc;

use policy::TlsMode;
use rustls::client::EchGreaseConfig;
use rustls::crypto::aws_lc_rs::hpke::ALL_SUPPORTED_SUITES;
use rustls::pki_types::ServerName;
use tokio::io::DuplexStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::trial::Trial;
use crate::origin::Origin;
use crate::scene::{Scene, Setting, exchange, get, over, rule, send, send2, within};

const AUTHORITY: &str = "egress.authority";

/// Two hosts, both allowed: what is refused here is refused for the disagreement alone.
async fn scene(origin: &Origin) -> Scene {
    let rules = vec![
        rule("a.example", origin.address, |_| {}),
        rule("b.example", origin.address, |_| {}),
        rule("passed.example", origin.address, |route| route.tls = TlsMode::Passthrough),
    ];
    Setting::new(rules, &origin.roots).start()
}

#[tokio::test]
async fn connect_and_sni_disagree() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = scene(&origin).await;
    let mut trial = Trial::of(&scene);
    for (to, sni) in [
        ("a.example", "b.example"),
        ("a.example", "evil.example"),
        ("a.example", "x.a.example"),
        ("passed.example", "a.example"),
        ("a.example", "passed.example"),
        ("policy.bottle.internal", "a.example"),
        ("a.example", "policy.bottle.internal"),
    ] {
        let tunnel = scene.tunnel(&format!("{to}:443")).await;
        let error = scene.tls(tunnel, sni, &[]).await.unwrap_err();
        assert!(error.to_string().contains("AccessDenied"), "{to} {sni}: {error}");
        let record = trial.record(sni);
        assert_eq!((&record["code"], &record["asked"]), (&AUTHORITY.into(), &format!("TLS {to}").into()), "{sni}");
    }
    // A name of the resolver's that is met by its address, and another in the client hello.
    let address = scene.resolve("a.example").await.unwrap();
    assert!(scene.tls(scene.transparent(&format!("{address}:443")), "b.example", &[]).await.is_err());
    assert_eq!(trial.code("an address of a.example"), AUTHORITY);
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn tls_without_sni() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = scene(&origin).await;
    let mut trial = Trial::of(&scene);
    for to in ["a.example", "passed.example"] {
        // A client that was given an address names nobody (RFC 6066 §3).
        let tunnel = scene.tunnel(&format!("{to}:443")).await;
        assert!(scene.tls(tunnel, "192.0.2.7", &[]).await.is_err());
        assert_eq!(trial.code(to), AUTHORITY);
    }
    assert!(origin.seen().is_empty());
}

/// Where TLS is opened, the outer name counts and the inner one is never read. Where it is not, nobody knows the inner one.
#[tokio::test]
async fn encrypted_client_hello() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = scene(&origin).await;
    let mut trial = Trial::of(&scene);
    assert!(with_ech(&scene, "passed.example", "passed.example").await.is_err());
    let record = trial.record("passed on");
    assert_eq!((&record["code"], &record["asked"]), (&AUTHORITY.into(), &"TLS passed.example".into()));
    assert!(with_ech(&scene, "a.example", "b.example").await.is_err());
    assert_eq!(trial.code("outer name of another host"), AUTHORITY);
    let mut client = over(with_ech(&scene, "a.example", "a.example").await.unwrap()).await;
    assert_eq!(send(&mut client, get("/x", "a.example")).await.body, "hello");
    trial.none("opened here");
}

async fn with_ech(scene: &Scene, to: &str, sni: &str) -> std::io::Result<TlsStream<DuplexStream>> {
    let suite = ALL_SUPPORTED_SUITES[0];
    let (public, _) = suite.generate_key_pair().unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config =
        rustls::ClientConfig::builder_with_provider(provider).with_ech(EchGreaseConfig::new(suite, public).into()).unwrap();
    let config = config.with_root_certificates(scene.roots_store()).with_no_client_auth();
    let tunnel = scene.tunnel(&format!("{to}:443")).await;
    let name = ServerName::try_from(sni.to_owned()).unwrap();
    within(TlsConnector::from(Arc::new(config)).connect(name, tunnel)).await
}

#[tokio::test]
async fn connect_and_host_disagree() {
    let origin = Origin::plain().await;
    let scene = scene(&origin).await;
    let mut trial = Trial::of(&scene);
    for host in ["b.example:443", "b.example", "a.example:80", "evil.example", "a.example.", "127.0.0.1"] {
        trial.at_the_proxy(&format!("CONNECT a.example:443 HTTP/1.1\r\nHost: {host}\r\n\r\n"), AUTHORITY).await;
    }
}

#[tokio::test]
async fn absolute_uri_against_host() {
    let origin = Origin::plain().await;
    let scene = scene(&origin).await;
    let mut trial = Trial::of(&scene);
    for host in ["b.example", "evil.example", "a.example:81", "a.example:443", ""] {
        let request = format!("GET http://a.example/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        trial.at_the_proxy(&request, AUTHORITY).await;
        let request = request.replace("http://a.example/", "http://b.example/").replace("Host: b.example", "Host: a.example");
        trial.at_the_proxy(&request, AUTHORITY).await;
    }
    // Inside a connection that is for one host.
    let address = scene.resolve("a.example").await.unwrap();
    for (target, host) in
        [("http://b.example/", "a.example"), ("http://a.example/", "b.example"), ("http://evil.example/", "a.example")]
    {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = exchange(scene.transparent(&format!("{address}:80")), request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 421 "), "{answer}");
        assert_eq!(trial.code(target), AUTHORITY);
    }
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn host_twice_or_not_at_all() {
    let origin = Origin::plain().await;
    let scene = scene(&origin).await;
    let mut trial = Trial::of(&scene);
    for hosts in [
        "Host: a.example\r\nHost: b.example\r\n",
        "Host: a.example\r\nHost: a.example\r\n",
        "Host: a.example\r\nhost:b.example\r\n",
        "",
    ] {
        for request in ["GET http://a.example/ HTTP/1.1", "CONNECT a.example:443 HTTP/1.1"] {
            trial.at_the_proxy(&format!("{request}\r\n{hosts}\r\n"), "egress.malformed").await;
        }
    }
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn sni_and_host_disagree() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = scene(&origin).await;
    let mut trial = Trial::of(&scene);
    let mut client = scene.https("a.example").await;
    for host in [
        "b.example",
        "evil.example",
        "a.example.",
        "x.a.example",
        "a.example:80",
        "a.example@b.example",
        "127.0.0.1",
        "policy.bottle.internal",
    ] {
        let got = send(&mut client, get("/x", host)).await;
        assert_eq!((got.status.as_u16(), got.refusal()), (421, AUTHORITY), "{host}");
        assert_eq!(trial.code(host), AUTHORITY);
    }
    // The connection is as good as before.
    assert_eq!(send(&mut client, get("/x", "a.example")).await.body, "hello");
    assert_eq!(origin.seen().len(), 1);
}

/// Each request on one HTTP/2 connection is judged by itself. Threat: a client that coalesces connections, or pretends to.
#[tokio::test]
async fn domain_fronting_over_one_http2_connection() {
    let origin = Origin::tls(&["h2"]).await;
    let scene = scene(&origin).await;
    let mut trial = Trial::of(&scene);
    let mut client = scene.http2("a.example").await;
    assert_eq!(send2(&mut client, get("https://a.example/x", "a.example")).await.body, "hello");
    for (uri, host) in [
        ("https://b.example/x", "b.example"),
        ("https://b.example/x", "a.example"),
        ("https://a.example/x", "b.example"),
        ("https://evil.example/x", "evil.example"),
        ("https://evil.example/x", "a.example"),
        ("https://a.example:8443/x", "a.example:8443"),
        ("https://passed.example/x", "passed.example"),
        ("https://policy.bottle.internal/", "policy.bottle.internal"),
    ] {
        let got = send2(&mut client, get(uri, host)).await;
        assert_eq!((got.status.as_u16(), got.refusal()), (421, AUTHORITY), "{uri} {host}");
        assert_eq!(trial.code(uri), AUTHORITY);
    }
    assert_eq!(send2(&mut client, get("https://a.example/x", "a.example")).await.body, "hello");
    assert_eq!(origin.seen().len(), 2);
}
