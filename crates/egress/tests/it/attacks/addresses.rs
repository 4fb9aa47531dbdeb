//! Addresses instead of names: in every spelling, of this host, of its network and of clouds.

use std::sync::Arc;

use policy::TlsMode;

use super::trial::{Scripted, Trial};
use crate::origin::Origin;
use crate::scene::{Setting, exchange, get, over, rule, send};

const MALFORMED: &str = "egress.malformed";
const HOST: &str = "egress.host";

/// 127.0.0.1 and its like, as resolvers, libraries and browsers read them.
const SPELLINGS: [(&str, &str); 30] = [
    ("127.0.0.1", HOST),
    ("127.1", MALFORMED),
    ("127.0.1", MALFORMED),
    ("2130706433", MALFORMED),
    ("017700000001", MALFORMED),
    ("0x7f000001", MALFORMED),
    ("0X7F000001", MALFORMED),
    ("0x7f.0.0.1", MALFORMED),
    ("0177.0.0.1", MALFORMED),
    ("127.0.0.0x1", MALFORMED),
    ("127.0.0.01", MALFORMED),
    ("127.000.000.001", MALFORMED),
    ("127.0.0.1.", MALFORMED),
    ("127.0.0.256", MALFORMED),
    ("127。0。0。1", MALFORMED),
    ("①②⑦.⓪.⓪.①", MALFORMED),
    ("0", MALFORMED),
    ("0.0.0.0", HOST),
    ("[::]", HOST),
    ("[::1]", HOST),
    ("[0:0:0:0:0:0:0:1]", HOST),
    ("[::ffff:127.0.0.1]", HOST),
    ("[::ffff:7f00:1]", HOST),
    ("[::127.0.0.1]", HOST),
    ("[64:ff9b::127.0.0.1]", HOST),
    ("[fe80::1%25eth0]", MALFORMED),
    ("[fe80::1%eth0]", MALFORMED),
    ("[::1].", MALFORMED),
    ("[127.0.0.1]", MALFORMED),
    ("[v1.127.0.0.1]", MALFORMED),
];

#[tokio::test]
async fn ip_literals_in_every_spelling() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let mut trial = Trial::of(&scene);
    let port = origin.address.port();
    for (spelling, code) in SPELLINGS {
        for request in [
            format!("CONNECT {spelling}:443 HTTP/1.1\r\nHost: {spelling}:443\r\n\r\n"),
            format!("GET http://{spelling}/ HTTP/1.1\r\nHost: {spelling}\r\nConnection: close\r\n\r\n"),
            format!("GET http://{spelling}:{port}/ HTTP/1.1\r\nHost: {spelling}:{port}\r\nConnection: close\r\n\r\n"),
        ] {
            trial.at_the_proxy(&request, code).await;
        }
        // Behind a name that is allowed: the place that the connection is for does not change.
        let request = format!("GET http://a.example/ HTTP/1.1\r\nHost: {spelling}\r\nConnection: close\r\n\r\n");
        let code = if spelling.is_ascii() { "egress.authority" } else { MALFORMED };
        trial.at_the_proxy(&request, code).await;
        if !spelling.contains(['[', '%']) && spelling.is_ascii() {
            assert_eq!(scene.resolve(spelling.trim_end_matches('.')).await, None, "{spelling}");
            assert_eq!(trial.code(spelling), HOST);
        }
    }
    assert!(origin.seen().is_empty());
}

/// One spelling of an address that a route names is the address, and no other name gets past for it.
#[tokio::test]
async fn an_allowed_address_has_one_spelling_and_its_mapped_form() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![rule("192.0.2.7", origin.address, |_| {})], &origin.roots).start();
    let mut trial = Trial::of(&scene);
    for spelling in ["192.0.2.7", "[::ffff:192.0.2.7]", "[::FFFF:C000:0207]"] {
        let request = format!("GET http://{spelling}/ HTTP/1.1\r\nHost: {spelling}\r\nConnection: close\r\n\r\n");
        let answer = exchange(scene.proxy(), request.as_bytes()).await;
        assert!(answer.ends_with("hello"), "{spelling}: {answer}");
    }
    trial.none("the address itself");
    for (spelling, code) in [
        ("192.0.2.007", MALFORMED),
        ("192.0.519", MALFORMED),
        ("3221225991", MALFORMED),
        ("0xc0.0.2.7", MALFORMED),
        ("192.0.2.7.", MALFORMED),
        ("[::192.0.2.7]", HOST),
        ("[64:ff9b::192.0.2.7]", HOST),
    ] {
        let request = format!("GET http://{spelling}/ HTTP/1.1\r\nHost: {spelling}\r\nConnection: close\r\n\r\n");
        trial.at_the_proxy(&request, code).await;
    }
    assert_eq!(origin.seen().len(), 3);
}

#[tokio::test]
async fn direct_ip_is_refused_with_its_destination() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let mut trial = Trial::of(&scene);
    for address in ["203.0.113.7", "127.0.0.1", "10.0.0.1", "169.254.169.254", "[fd00:ec2::254]", "[::1]", "198.18.77.1"] {
        for (port, said) in
            [(80, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"), (443, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")]
        {
            let to = format!("{address}:{port}");
            let answer = exchange(scene.transparent(&to), said.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 403 "), "{to}: {answer}");
            let record = trial.record(&to);
            assert_eq!((&record["code"], &record["destination"]), (&"egress.address".into(), &to.as_str().into()));
        }
        let to = format!("{address}:443");
        assert!(scene.tls(scene.transparent(&to), "a.example", &[]).await.is_err());
        assert_eq!(trial.code(&to), "egress.address");
    }
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn the_proxy_does_not_reach_itself() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let mut trial = Trial::of(&scene);
    for own in
        ["127.0.0.1:3128", "localhost:3128", "[::1]:3128", "127.0.0.53:53", "0.0.0.0:3128", "198.18.0.1:80", "198.18.0.4:443"]
    {
        trial.at_the_proxy(&format!("CONNECT {own} HTTP/1.1\r\nHost: {own}\r\n\r\n"), HOST).await;
        trial.at_the_proxy(&format!("GET http://{own}/ HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n"), HOST).await;
    }
}

/// A route allows a name; where that leads is judged when it is dialled.
#[tokio::test]
async fn names_that_point_at_metadata_and_private_addresses() {
    let origin = Origin::plain().await;
    for address in [
        "169.254.169.254",
        "fd00:ec2::254",
        "100.100.100.200",
        "169.254.1.1",
        "fe80::1",
        "127.0.0.1",
        "127.8.9.10",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "fd12::1",
        "100.64.0.1",
        "198.18.0.1",
        "224.0.0.1",
    ] {
        let open = |host, tls| {
            rule(host, origin.address, |route| {
                (route.dial, route.tls) = (None, tls);
                route.ports = vec![origin.address.port()];
            })
        };
        let rules = vec![open("a.example", TlsMode::Intercept), open("b.example", TlsMode::Passthrough)];
        let lookup = Arc::new(Scripted::new(&[&[address]]));
        let scene = Setting { lookup: Some(lookup), ..Setting::new(rules, &origin.roots) }.start();
        let mut trial = Trial::of(&scene);
        let authority = format!("a.example:{}", origin.address.port());
        let request = format!("GET http://{authority}/ HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
        trial.at_the_proxy(&request, "egress.private").await;
        let tunnel = scene.tunnel(&authority).await;
        let mut client = over(scene.tls(tunnel, "a.example", &[]).await.unwrap()).await;
        assert_eq!(send(&mut client, get("/", &authority)).await.refusal(), "egress.private", "{address}");
        trial.code(address);
        let tunnel = scene.tunnel(&format!("b.example:{}", origin.address.port())).await;
        assert!(scene.tls(tunnel, "b.example", &[]).await.is_err(), "{address}");
        assert_eq!(trial.code(address), "egress.private");
    }
    assert!(origin.seen().is_empty());
}
