//! What passes unchanged, and what does not, in requests and answers.

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;

use crate::origin::{Frames, Origin};
use crate::scene::{Setting, exchange, get, got, head, rule, send, send2, within};

#[tokio::test]
async fn large_bodies_stream_both_ways_and_are_counted() {
    let body = Bytes::from((0..3_000_000u32).map(|number| (number % 251) as u8).collect::<Vec<_>>());
    for protocol in ["h2", "http/1.1"] {
        let origin = Origin::tls(&[protocol]).await;
        let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
        let mut client = scene.https("a.example").await;
        let request = |uri: &str| Request::post(uri).header("host", "a.example").body(Full::new(body.clone())).unwrap();
        assert_eq!(send(&mut client, request("/echo")).await.body, body);
        let mut client = scene.http2("a.example").await;
        assert_eq!(send2(&mut client, request("https://a.example/echo")).await.body, body);
        for passed in scene.passed(2).await {
            assert_eq!((&passed["sent"], &passed["received"]), (&3_000_000.into(), &3_000_000.into()), "{passed}");
            assert_eq!(passed.get("failed"), None);
        }
    }
}

#[tokio::test]
async fn trailers_that_are_too_large_break_the_answer() {
    for protocol in ["h2", "http/1.1"] {
        let origin = Origin::tls(&[protocol]).await;
        let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
        let mut client = scene.http2("a.example").await;
        let mut request = get("https://a.example/trailers/large", "a.example");
        request.headers_mut().insert("te", "trailers".parse().unwrap());
        let read = async { client.send_request(request).await?.into_body().collect().await };
        assert!(within(read).await.is_err(), "{protocol}");
        assert_eq!(scene.passed(1).await[0]["failed"], "egress.upstream", "{protocol}");
    }
}

#[tokio::test]
async fn trailers_pass_both_ways_but_no_credential_in_them() {
    for protocol in ["h2", "http/1.1"] {
        let origin = Origin::tls(&[protocol]).await;
        let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
        let mut client = scene.http2("a.example").await;
        let mut request = get("https://a.example/trailers", "a.example");
        request.headers_mut().insert("te", "trailers".parse().unwrap());
        let answer = send2(&mut client, request).await;
        assert_eq!(
            (&answer.body[..], answer.trailers.unwrap()["grpc-status"].to_str().unwrap()),
            (&b"message"[..], "0"),
            "{protocol}"
        );

        let tunnel = scene.tunnel("a.example:443").await;
        let tls = scene.tls(tunnel, "a.example", &["h2"]).await.unwrap();
        let (mut client, connection) =
            hyper::client::conn::http2::handshake(hyper_util::rt::TokioExecutor::new(), TokioIo::new(tls)).await.unwrap();
        tokio::spawn(connection);
        let trailers: HeaderMap = [("x-sum", "1"), ("authorization", "canary")]
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .into_iter()
            .collect();
        let frames = vec![Ok::<_, hyper::Error>(Frame::data(Bytes::from_static(b"x"))), Ok(Frame::trailers(trailers))];
        let body = StreamBody::new(Frames(frames.into()));
        let request = Request::post("https://a.example/x").header("trailer", "x-sum, authorization").body(body).unwrap();
        assert_eq!(got(within(client.send_request(request)).await.unwrap()).await.status, 200);
        let seen = origin.seen().last().unwrap().trailers.clone().unwrap();
        assert_eq!((seen["x-sum"].to_str().unwrap(), seen.contains_key("authorization")), ("1", false));
    }
}

#[tokio::test]
async fn headers_of_one_connection_and_other_ways_to_the_host_stay_out() {
    for protocol in ["h2", "http/1.1"] {
        let origin = Origin::tls(&[protocol]).await;
        let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
        let got = send(&mut scene.https("a.example").await, get("/hop", "a.example")).await;
        assert_eq!(got.headers["x-kept"], "yes");
        for gone in ["alt-svc", "connection", "x-secret-hop"] {
            assert!(!got.headers.contains_key(gone), "{gone}");
        }
    }
}

#[tokio::test]
async fn a_client_that_expects_is_told_to_go_on() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let tunnel = scene.tunnel("a.example:443").await;
    let mut tls = scene.tls(tunnel, "a.example", &["http/1.1"]).await.unwrap();
    let request =
        "POST /echo HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 5\r\n\r\n";
    tls.write_all(request.as_bytes()).await.unwrap();
    assert!(head(&mut tls).await.starts_with("HTTP/1.1 100 "));
    let answer = exchange(tls, b"hello").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("hello"), "{answer}");
    assert!(!origin.seen()[0].headers.contains_key("expect"));
}

#[tokio::test]
async fn one_who_expects_and_is_refused_sends_no_body() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let mut stream = scene.proxy();
    let request = "POST http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 403 "));
}

#[tokio::test]
async fn a_refused_upload_reads_its_refusal() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let body = vec![b'x'; 1_000_000];
    let head = format!("POST http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nContent-Length: {}\r\n\r\n", body.len());
    let stream = scene.proxy();
    let (mut read, mut write) = tokio::io::split(stream);
    let sending = async {
        let _ = write.write_all(head.as_bytes()).await;
        let _ = write.write_all(&body).await;
        let _ = write.shutdown().await;
    };
    let mut answer = Vec::new();
    within(async { tokio::join!(sending, tokio::io::AsyncReadExt::read_to_end(&mut read, &mut answer)).1.unwrap() }).await;
    assert!(answer.starts_with(b"HTTP/1.1 403 "));
}

#[tokio::test]
async fn a_head_request_and_an_empty_answer_have_no_body() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let mut client = scene.https("a.example").await;
    for (method, path) in [("HEAD", "/x"), ("GET", "/204")] {
        let request = Request::builder().method(method).uri(path).header("host", "a.example").body(Full::default()).unwrap();
        assert!(send(&mut client, request).await.body.is_empty());
    }
    let request = Request::head("/x").header("host", "b.example").body(Full::default()).unwrap();
    let refused = send(&mut client, request).await;
    assert_eq!((refused.status.as_u16(), refused.body.len()), (421, 0));
    assert_eq!(refused.headers["x-bottle-refusal"], "egress.authority");

    let mut client = scene.http2("a.example").await;
    let head = |uri: &str| Request::head(uri).body(Full::default()).unwrap();
    for (uri, status) in [("https://a.example/x", 200), ("https://b.example/x", 421), ("https://policy.bottle.internal/", 421)] {
        let got = send2(&mut client, head(uri)).await;
        assert_eq!((got.status.as_u16(), got.body.len()), (status, 0), "{uri}");
        assert!(got.headers["content-length"].to_str().unwrap().parse::<u32>().unwrap() > 0, "{uri}");
    }
    let got = send2(&mut scene.http2("policy.bottle.internal").await, head("https://policy.bottle.internal/")).await;
    assert_eq!((got.status.as_u16(), got.body.len()), (200, 0));
    assert!(scene.passed(3).await.iter().all(|passed| passed.get("failed").is_none()));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_so() {
    let origin = Origin::plain().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let scene = Setting::new(vec![rule("a.example", closed, |_| {})], &origin.roots).start();
    let refused = send(&mut scene.https("a.example").await, get("/x", "a.example")).await;
    assert_eq!((refused.status.as_u16(), refused.refusal()), (502, "egress.unreachable"));
    assert_eq!(scene.only_refusal(), ("egress.unreachable".to_owned(), "GET a.example".to_owned()));
}

#[tokio::test]
async fn a_bottle_that_leaves_early_is_recorded_so() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let body = Bytes::from(vec![b'x'; 3_000_000]);
    let request = Request::post("/echo").header("host", "a.example").body(Full::new(body)).unwrap();
    let mut client = scene.https("a.example").await;
    let mut answer = within(client.send_request(request)).await.unwrap();
    within(answer.body_mut().frame()).await.unwrap().unwrap();
    drop((answer, client));
    assert_eq!(scene.passed(1).await[0]["failed"], "bottle.left");
}
