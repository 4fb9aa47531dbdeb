//! Other ports, and other protocols on the usual ones.

use hyper_util::rt::{TokioExecutor, TokioIo};
use policy::{Method, RequestMatch};

use super::trial::Trial;
use crate::origin::Origin;
use crate::scene::{Scene, Setting, exchange, get, over, rule, send, send2};

async fn scene(origin: &Origin) -> Scene {
    Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start()
}

#[tokio::test]
async fn connect_to_other_ports() {
    let origin = Origin::plain().await;
    let scene = scene(&origin).await;
    let mut trial = Trial::of(&scene);
    for port in [1, 22, 25, 53, 81, 110, 444, 465, 587, 853, 993, 2375, 3128, 3306, 5432, 6379, 8080, 8443, 9418, 11211, 65535] {
        let place = format!("a.example:{port}");
        trial.at_the_proxy(&format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n"), "egress.port").await;
        let get = format!("GET http://{place}/ HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n");
        trial.at_the_proxy(&get, "egress.port").await;
    }
    for port in ["0", "65536", "99999999999", "-1", "443a", ""] {
        let place = format!("a.example:{port}");
        trial.at_the_proxy(&format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n"), "egress.malformed").await;
    }
    assert!(origin.seen().is_empty());
}

/// A tunnel to port 80 is no way round: what is said in it is judged request by request.
#[tokio::test]
async fn plain_http_inside_connect() {
    let origin = Origin::plain().await;
    let get_alone = RequestMatch { methods: vec![Method::parse("GET").unwrap()], ..RequestMatch::default() };
    let rules = vec![rule("a.example", origin.address, |route| route.matches = vec![get_alone])];
    let scene = Setting::new(rules, &origin.roots).start();
    let mut trial = Trial::of(&scene);
    let post = "POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret";
    let answer = exchange(scene.tunnel("a.example:80").await, post.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert_eq!(trial.code("POST in a tunnel to 80"), "egress.request");
    let other = "GET /x HTTP/1.1\r\nHost: b.example\r\nConnection: close\r\n\r\n";
    exchange(scene.tunnel("a.example:80").await, other.as_bytes()).await;
    assert_eq!(trial.code("another host in a tunnel to 80"), "egress.authority");
    // On the port of TLS plain text is no request that a route allows.
    let plain = "GET /x HTTP/1.1\r\nHost: a.example:443\r\nConnection: close\r\n\r\n";
    exchange(scene.tunnel("a.example:443").await, plain.as_bytes()).await;
    assert_eq!(trial.code("plain text on 443"), "egress.port");
    // Nor does HTTP/2 without TLS change anything.
    let tunnel = TokioIo::new(scene.tunnel("a.example:80").await);
    let (mut client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), tunnel).await.unwrap();
    tokio::spawn(connection);
    let got = send2(&mut client, get("http://b.example/x", "b.example")).await;
    assert_eq!((got.refusal(), trial.code("HTTP/2 without TLS").as_str()), ("egress.authority", "egress.authority"));
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn tls_to_another_port() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = scene(&origin).await;
    let mut trial = Trial::of(&scene);
    // The tunnel is one that plain requests may use; with TLS in it, its requests are for a port that no route allows so.
    let mut client = over(scene.tls(scene.tunnel("a.example:80").await, "a.example", &[]).await.unwrap()).await;
    for host in ["a.example:80", "a.example"] {
        let got = send(&mut client, get("/x", host)).await;
        assert!(!got.status.is_success(), "{host}");
        let code = if host.ends_with("80") { "egress.port" } else { "egress.authority" };
        assert_eq!((got.refusal(), trial.code(host).as_str()), (code, code));
    }
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn protocols_other_than_tls_and_http() {
    let origin = Origin::plain().await;
    let scene = scene(&origin).await;
    let mut trial = Trial::of(&scene);
    for said in [
        &b"SSH-2.0-OpenSSH_9.9\r\n"[..],
        b"EHLO evil.example\r\nMAIL FROM:<a@evil.example>\r\n",
        b"HELO evil.example\r\n",
        b"USER anonymous\r\n",
        b"NICK evil\r\n",
        b"*1\r\n$4\r\nPING\r\n",
        b"\x05\x01\x00",
        b"\x05\x01\x02\x04user\x06secret",
        b"\x04\x01\x00\x50\xcb\x00\x71\x07\x00",
        b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10",
        b"\x00\x00\x00\x2f\xffSMB",
        b"\x03\x00\x00\x13\x0e\xe0",
        b"\x16\x02\x00\x00\x05secret",
        b"\x17\x03\x03\x00\x05secret",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        b"\r\n\r\n\0\r\nQUIT\n",
        b"\0\0\0\0secret",
        b"secret in plain text, long enough to be told from a method",
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        b"\r\nGET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
    ] {
        let address = scene.resolve("a.example").await.unwrap();
        let places = [
            scene.proxy(),
            scene.tunnel("a.example:443").await,
            scene.tunnel("a.example:80").await,
            scene.transparent(&format!("{address}:443")),
            scene.transparent(&format!("{address}:80")),
        ];
        for stream in places {
            let answer = exchange(stream, said).await;
            let shown = String::from_utf8_lossy(said);
            assert!(answer.contains("x-bottle-refusal: egress.protocol\r\n"), "{shown:?}: {answer}");
            assert_eq!(trial.code(&shown), "egress.protocol");
        }
    }
    assert!(origin.seen().is_empty());
    assert!(!scene.written().contains("secret"));
}

#[tokio::test]
async fn the_proxy_speaks_http1_alone() {
    let origin = Origin::plain().await;
    let scene = scene(&origin).await;
    let mut trial = Trial::of(&scene);
    assert!(scene.tls(scene.proxy(), "a.example", &[]).await.is_err());
    assert_eq!(trial.code("TLS to the proxy"), "egress.protocol");
    let answer = exchange(scene.proxy(), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    assert!(answer.contains("egress.protocol"), "{answer}");
    assert_eq!(trial.code("HTTP/2 to the proxy"), "egress.protocol");
    for request in [
        "GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "GET https://a.example/x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n",
        "GET HTTP://a.example/x HTTP/1.2\r\nHost: a.example\r\n\r\n",
        "GET hxxp://a.example/x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n",
        "CONNECT http://a.example:443/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "CONNECT a.example HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "CONNECT /x HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "GET a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n",
    ] {
        let answer = exchange(scene.proxy(), request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{request:?}: {answer}");
        let code = trial.code(request);
        assert!(["egress.malformed", "egress.protocol"].contains(&code.as_str()), "{request:?}: {code}");
    }
    assert!(origin.seen().is_empty());
}
