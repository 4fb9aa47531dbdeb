use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use policy::{Cidr, Code, Host, Rule, Transport};
use rcgen::date_time_ymd;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Barrier, Semaphore, mpsc};

use super::super::origin_for_tests::{NAME, TestAuthority, TestOrigin, ok, rule};
use super::super::{Lookup, Target};
use super::{Failure, ResponseBody, Upstreams};
use crate::{Limits, RequestBody, TrustRoots};

fn upstreams(roots: TrustRoots) -> Upstreams {
    Upstreams::new(roots, &Limits::default())
}

fn nobody() -> TrustRoots {
    TrustRoots::only(Vec::new())
}

fn get(path: &str) -> Request<RequestBody> {
    Request::get(path).body(RequestBody::whole("")).unwrap()
}

async fn text(answer: Response<ResponseBody>) -> String {
    String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// What the request looked like to the origin: `GET api.example.org /path`.
async fn seen(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let host = request.headers().get("host").map(|host| host.to_str().unwrap().to_owned());
    let host = host.or_else(|| request.uri().authority().map(ToString::to_string)).unwrap_or_default();
    let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    ok(format!("{} {host} {path} {:?}", request.method(), request.version()))
}

#[tokio::test]
async fn requests_one_after_the_other_share_a_connection() {
    let origin = TestOrigin::plain(seen).await;
    let (upstreams, target, rule) = (upstreams(nobody()), origin.target(Transport::Plain), origin.rule());
    for n in 0..5 {
        let answer = upstreams.send(&target, &rule, get(&format!("/a?{n}"))).await.unwrap();
        assert_eq!(text(answer).await, format!("GET {NAME}:{} /a?{n} HTTP/1.1", origin.address.port()));
    }
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn the_host_of_a_request_is_the_targets_whatever_it_says() {
    let origin = TestOrigin::plain(seen).await;
    let mut request = get("http://evil.example/x");
    request.headers_mut().append("host", HeaderValue::from_static("evil.example"));
    request.headers_mut().append("host", HeaderValue::from_static("worse.example"));
    let upstreams = upstreams(nobody());
    let answer = upstreams.send(&origin.target(Transport::Plain), &origin.rule(), request).await.unwrap();
    assert_eq!(text(answer).await, format!("GET {NAME}:{} /x HTTP/1.1", origin.address.port()));
}

#[tokio::test]
async fn requests_at_once_have_http1_connections_of_their_own_and_these_are_kept() {
    let authority = TestAuthority::new();
    let barrier = Arc::new(Barrier::new(4));
    let origin = TestOrigin::tls(authority.acceptor(&["http/1.1"], |_| ()), 1, move |_| {
        let barrier = Arc::clone(&barrier);
        async move {
            barrier.wait().await;
            ok("met")
        }
    })
    .await;
    let (upstreams, target, rule) = (upstreams(authority.roots()), origin.target(Transport::Tls), origin.rule());
    for _ in 0..3 {
        let send = || async { text(upstreams.send(&target, &rule, get("/")).await.unwrap()).await };
        let texts = tokio::join!(send(), send(), send(), send());
        assert_eq!(texts, ("met".into(), "met".into(), "met".into(), "met".into()));
    }
    assert_eq!(origin.connections(), 4);
}

#[tokio::test]
async fn a_burst_of_requests_shares_few_http2_connections() {
    let authority = TestAuthority::new();
    let barrier = Arc::new(Barrier::new(20));
    let origin = TestOrigin::tls(authority.acceptor(&["h2", "http/1.1"], |_| ()), 100, move |request| {
        let barrier = Arc::clone(&barrier);
        async move {
            barrier.wait().await;
            seen(request).await
        }
    })
    .await;
    let (upstreams, target, rule) = (Arc::new(upstreams(authority.roots())), origin.target(Transport::Tls), origin.rule());
    let mut sending = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (upstreams, target, rule) = (Arc::clone(&upstreams), target.clone(), rule.clone());
        sending.spawn(async move { (n, text(upstreams.send(&target, &rule, get(&format!("/{n}"))).await.unwrap()).await) });
    }
    while let Some(sent) = sending.join_next().await {
        let (n, text) = sent.unwrap();
        assert_eq!(text, format!("GET {NAME}:{} /{n} HTTP/2.0", origin.address.port()));
    }
    assert_eq!(origin.connections(), 3);
}

#[tokio::test]
async fn answers_that_nobody_reads_hold_up_none_beside_them() {
    const LENGTH: usize = 4 << 20;
    let authority = TestAuthority::new();
    let origin = TestOrigin::tls(authority.acceptor(&["h2"], |_| ()), 100, async |_| ok("x".repeat(LENGTH))).await;
    let (upstreams, target, rule) = (upstreams(authority.roots()), origin.target(Transport::Tls), origin.rule());
    let mut unread = Vec::new();
    for _ in 0..7 {
        unread.push(upstreams.send(&target, &rule, get("/")).await.unwrap());
    }
    assert_eq!(text(upstreams.send(&target, &rule, get("/")).await.unwrap()).await.len(), LENGTH);
    assert_eq!(origin.connections(), 1);
    drop(unread);
}

#[tokio::test]
async fn another_http2_connection_is_opened_when_the_streams_of_one_are_taken() {
    let authority = TestAuthority::new();
    let held = Arc::new(Semaphore::new(0));
    let releasing = Arc::clone(&held);
    let origin = TestOrigin::tls(authority.acceptor(&["h2"], |_| ()), 2, move |request| {
        let held = Arc::clone(&held);
        async move {
            if request.uri().path() == "/held" {
                held.acquire().await.unwrap().forget();
            }
            ok("done")
        }
    })
    .await;
    let (upstreams, target, rule) = (Arc::new(upstreams(authority.roots())), origin.target(Transport::Tls), origin.rule());
    let mut holding = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (upstreams, target, rule) = (Arc::clone(&upstreams), target.clone(), rule.clone());
        holding.spawn(async move { text(upstreams.send(&target, &rule, get("/held")).await.unwrap()).await });
    }
    // Would wait for one of the held ones if it had to share a connection with two of them.
    while origin.connections() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(text(upstreams.send(&target, &rule, get("/")).await.unwrap()).await, "done");
    releasing.add_permits(4);
    assert_eq!(holding.join_all().await.len(), 4);
    assert!(origin.connections() <= 3);
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_costs_no_request() {
    let origin = TestOrigin::raw(|mut stream, _| async move {
        let mut head = [0; 1024];
        let _ = stream.read(&mut head).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    })
    .await;
    let (upstreams, target, rule) = (upstreams(nobody()), origin.target(Transport::Plain), origin.rule());
    for _ in 0..20 {
        let request = Request::post("/").body(RequestBody::whole("body")).unwrap();
        assert_eq!(text(upstreams.send(&target, &rule, request).await.unwrap()).await, "ok");
        // Until the task that drives the connection has seen its end, as it has between two requests of a real agent.
        while upstreams.places.free() < Limits::default().connections {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(origin.connections(), 20);
}

/// A server that ends its connections after every second request and drops what comes then, as nginx does after 1,000.
#[tokio::test]
async fn requests_that_cross_the_end_of_an_http2_connection_are_sent_again() {
    let authority = TestAuthority::new();
    let acceptor = authority.acceptor(&["h2"], |_| ());
    let origin = TestOrigin::raw(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let stream = acceptor.accept(stream).await.unwrap();
            let (served, end) = (AtomicUsize::new(0), tokio::sync::Notify::new());
            let service = hyper::service::service_fn(|request| {
                let last = served.fetch_add(1, Ordering::SeqCst) == 2;
                if last {
                    end.notify_one();
                }
                async move { if last { std::future::pending().await } else { Ok::<_, io::Error>(seen(request).await) } }
            });
            let builder = hyper::server::conn::http2::Builder::new(hyper_util::rt::TokioExecutor::new());
            let serving = builder.serve_connection(hyper_util::rt::TokioIo::new(stream), service);
            tokio::select! { _ = serving => {}, () = end.notified() => {} }
        }
    })
    .await;
    let (upstreams, target, rule) = (upstreams(authority.roots()), origin.target(Transport::Tls), origin.rule());
    for sent in 1..=4 {
        let path = format!("/{sent}");
        let answered = text(upstreams.send(&target, &rule, get(&path)).await.unwrap()).await;
        assert!(answered.contains(&path), "{answered}");
    }
    assert_eq!(origin.connections(), 2);
    let post = Request::post("/").body(RequestBody::whole("body")).unwrap();
    assert_eq!(upstreams.send(&target, &rule, post).await.unwrap_err().code, Code::UpstreamProtocol);
}

#[tokio::test]
async fn certificates_that_are_not_good_are_refused_and_named() {
    let (authority, other) = (TestAuthority::new(), TestAuthority::new());
    let cases = [
        (authority.acceptor(&[], |params| params.not_after = date_time_ymd(2020, 1, 1)), "has expired"),
        (authority.acceptor(&[], |params| params.not_before = date_time_ymd(4000, 1, 1)), "is not valid yet"),
        (authority.acceptor(&[], |params| params.subject_alt_names.clear()), "is for another host"),
        (other.acceptor(&[], |_| ()), "is self-signed, or signed by an authority that is not trusted here"),
        (TestAuthority::self_signed(&[]), "is self-signed, or signed by an authority that is not trusted here"),
    ];
    for (acceptor, why) in cases {
        let origin = TestOrigin::tls(acceptor, 1, seen).await;
        let failure =
            upstreams(authority.roots()).send(&origin.target(Transport::Tls), &origin.rule(), get("/")).await.unwrap_err();
        assert_eq!(failure.code, Code::UpstreamCertificate, "{failure}");
        assert_eq!(failure.message, format!("the certificate of {NAME}:{} {why}", origin.address.port()));
    }
}

#[tokio::test]
async fn a_dialled_address_does_not_excuse_the_certificate_of_another_name() {
    let authority = TestAuthority::new();
    let origin = TestOrigin::tls(authority.acceptor(&[], |_| ()), 1, seen).await;
    let target = Target { host: Host::parse("other.example.org").unwrap(), ..origin.target(Transport::Tls) };
    let failure = upstreams(authority.roots()).send(&target, &origin.rule(), get("/")).await.unwrap_err();
    assert_eq!(failure.code, Code::UpstreamCertificate);
}

/// Answers the first request with `bytes` and closes, or goes on with `bytes` for ever.
async fn scripted(bytes: &'static [u8], endless: bool) -> TestOrigin {
    TestOrigin::raw(move |mut stream, _| async move {
        let mut head = [0; 1024];
        let _ = stream.read(&mut head).await;
        while stream.write_all(bytes).await.is_ok() && endless {}
    })
    .await
}

#[tokio::test]
async fn broken_answers_are_failures_and_neither_hang_nor_grow() {
    let cases: [(&[u8], bool, &str); 9] = [
        (b"", false, "closed the connection before it answered"),
        (b"HTTP/1.1 200", false, "closed the connection before it answered"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", false, "does not answer in HTTP"),
        (b"\x15\x03\x03\x00\x02\x02\x28", false, "does not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", false, "does not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n", false, "does not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", false, "does not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", false, "does not answer in HTTP"),
        (b"X", true, "does not answer in HTTP"),
    ];
    for (bytes, endless, why) in cases {
        let origin = scripted(bytes, endless).await;
        let failure = upstreams(nobody()).send(&origin.target(Transport::Plain), &origin.rule(), get("/")).await.unwrap_err();
        assert_eq!(failure.code, Code::UpstreamProtocol, "{failure}");
        assert_eq!(failure.message, format!("{NAME}:{} {why}", origin.address.port()), "{}", String::from_utf8_lossy(bytes));
    }
}

#[tokio::test]
async fn a_head_without_end_is_bounded() {
    let origin = TestOrigin::raw(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").await;
        while stream.write_all(&[b'a'; 4096]).await.is_ok() {}
    })
    .await;
    let failure = upstreams(nobody()).send(&origin.target(Transport::Plain), &origin.rule(), get("/")).await.unwrap_err();
    assert_eq!(failure.message, format!("{NAME}:{} answers with a head that is too large", origin.address.port()));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error_in_the_body() {
    for bytes in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\nzz\r\n",
    ] {
        let origin = scripted(bytes, false).await;
        let upstreams = upstreams(nobody());
        let answer = upstreams.send(&origin.target(Transport::Plain), &origin.rule(), get("/")).await.unwrap();
        assert!(answer.into_body().collect().await.is_err());
    }
}

#[tokio::test]
async fn a_change_of_protocol_that_nobody_asked_for_is_a_failure() {
    let origin = scripted(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", false).await;
    let failure = upstreams(nobody()).send(&origin.target(Transport::Plain), &origin.rule(), get("/")).await.unwrap_err();
    assert_eq!(failure.code, Code::UpstreamProtocol);
}

#[tokio::test]
async fn a_length_beside_a_transfer_coding_is_not_passed_on() {
    let origin =
        scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n", false)
            .await;
    let upstreams = upstreams(nobody());
    let answer = upstreams.send(&origin.target(Transport::Plain), &origin.rule(), get("/")).await.unwrap();
    assert_eq!(answer.headers().get("content-length"), None);
    assert_eq!(text(answer).await, "whole");
}

/// Answers each look-up with the next of `answers`, the last one again and again.
struct Scripted {
    answers: Vec<Vec<&'static str>>,
    asked: AtomicUsize,
}

impl Scripted {
    fn new(answers: Vec<Vec<&'static str>>) -> Arc<Self> {
        Arc::new(Self { answers, asked: AtomicUsize::new(0) })
    }
}

impl Lookup for Scripted {
    fn look_up(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        assert_eq!(name, NAME);
        let at = self.asked.fetch_add(1, Ordering::SeqCst).min(self.answers.len() - 1);
        Ok(self.answers[at].iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), port)).collect())
    }
}

fn allowing(block: &str) -> Rule {
    let mut rule = rule();
    rule.route.addresses = vec![Cidr::parse(block).unwrap()];
    rule
}

#[tokio::test]
async fn names_that_point_inwards_are_refused_and_nothing_is_connected() {
    let origin = TestOrigin::plain(seen).await;
    for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "10.0.0.1", "169.254.169.254", "fd00:ec2::254"] {
        let upstreams = upstreams(nobody()).with_lookup(Scripted::new(vec![vec![address]]));
        let failure = upstreams.send(&origin.target(Transport::Plain), &rule(), get("/")).await.unwrap_err();
        assert_eq!(failure.code, Code::PrivateAddress, "{address}: {failure}");
        let failure = upstreams.connect(&origin.target(Transport::Tls), &rule()).await.unwrap_err();
        assert_eq!(failure.code, Code::PrivateAddress, "{address}: {failure}");
    }
    assert_eq!(origin.connections(), 0);
}

#[tokio::test]
async fn literal_addresses_are_judged_like_names() {
    let origin = TestOrigin::plain(seen).await;
    let target = Target { host: Host::parse("127.0.0.1").unwrap(), ..origin.target(Transport::Plain) };
    let upstreams = upstreams(nobody());
    assert_eq!(upstreams.send(&target, &rule(), get("/")).await.unwrap_err().code, Code::PrivateAddress);
    assert!(upstreams.send(&target, &allowing("127.0.0.1"), get("/")).await.is_ok());
}

/// DNS rebinding: the address that was judged is the one that is dialled, because there is no second look-up; and what
/// another look-up says later is judged anew.
#[tokio::test]
async fn a_name_is_looked_up_once_per_connection_and_judged_each_time() {
    let origin = TestOrigin::raw(|mut stream, _| async move {
        let mut head = [0; 1024];
        let _ = stream.read(&mut head).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok").await;
    })
    .await;
    let lookup = Scripted::new(vec![vec!["127.0.0.1"], vec!["127.0.0.2"]]);
    let upstreams = upstreams(nobody()).with_lookup(Arc::clone(&lookup) as Arc<dyn Lookup>);
    let (target, rule) = (origin.target(Transport::Plain), allowing("127.0.0.1"));
    assert_eq!(text(upstreams.send(&target, &rule, get("/")).await.unwrap()).await, "ok");
    assert_eq!(lookup.asked.load(Ordering::SeqCst), 1);
    let failure = upstreams.send(&target, &rule, get("/")).await.unwrap_err();
    assert_eq!(failure.code, Code::PrivateAddress);
    assert_eq!((lookup.asked.load(Ordering::SeqCst), origin.connections()), (2, 1));
}

#[tokio::test]
async fn a_connection_that_one_rule_allowed_is_not_used_by_another() {
    let origin = TestOrigin::plain(seen).await;
    let upstreams = upstreams(nobody()).with_lookup(Scripted::new(vec![vec!["127.0.0.1"]]));
    let target = origin.target(Transport::Plain);
    text(upstreams.send(&target, &allowing("127.0.0.0/8"), get("/")).await.unwrap()).await;
    let failure = upstreams.send(&target, &rule(), get("/")).await.unwrap_err();
    assert_eq!(failure.code, Code::PrivateAddress);
    assert_eq!(origin.connections(), 1);
}

struct NoName;

impl Lookup for NoName {
    fn look_up(&self, _name: &str, _port: u16) -> io::Result<Vec<SocketAddr>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_and_a_port_that_refuses_are_told_apart() {
    let target = Target { host: Host::parse(NAME).unwrap(), port: 443, transport: Transport::Tls };
    let absent = upstreams(nobody()).with_lookup(Arc::new(NoName));
    assert_eq!(absent.send(&target, &rule(), get("/")).await.unwrap_err().code, Code::Name);
    let mut refusing = rule();
    refusing.route.dial = Some(std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    assert_eq!(upstreams(nobody()).send(&target, &refusing, get("/")).await.unwrap_err().code, Code::UpstreamUnreachable);
}

#[tokio::test]
async fn an_upgrade_gives_the_stream_after_the_101_alone() {
    let authority = TestAuthority::new();
    let origin = TestOrigin::tls(authority.acceptor(&["h2", "http/1.1"], |_| ()), 1, |mut request| async move {
        if request.uri().path() == "/no" {
            return ok("no such thing");
        }
        tokio::spawn(async move {
            let mut stream = hyper_util::rt::TokioIo::new(hyper::upgrade::on(&mut request).await.unwrap());
            let mut four = [0; 4];
            stream.read_exact(&mut four).await.unwrap();
            stream.write_all(&four.map(|byte| byte.to_ascii_uppercase())).await.unwrap();
        });
        let answer =
            Response::builder().status(StatusCode::SWITCHING_PROTOCOLS).header("connection", "upgrade").header("upgrade", "echo");
        answer.body(Full::default()).unwrap()
    })
    .await;
    let upstreams = upstreams(authority.roots());
    let ask =
        |path| Request::get(path).header("connection", "upgrade").header("upgrade", "echo").body(RequestBody::whole("")).unwrap();
    let answer = upstreams.upgrade(&origin.target(Transport::Tls), &origin.rule(), ask("/yes")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);
    let mut stream = hyper_util::rt::TokioIo::new(hyper::upgrade::on(answer).await.unwrap());
    stream.write_all(b"echo").await.unwrap();
    let mut four = [0; 4];
    stream.read_exact(&mut four).await.unwrap();
    assert_eq!(&four, b"ECHO");
    let answer = upstreams.upgrade(&origin.target(Transport::Tls), &origin.rule(), ask("/no")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "no such thing");
}

#[tokio::test]
async fn large_bodies_stream_both_ways() {
    let authority = TestAuthority::new();
    for protocol in ["h2", "http/1.1"] {
        let origin = TestOrigin::tls(authority.acceptor(&[protocol], |_| ()), 100, |request| async move {
            ok(request.into_body().collect().await.unwrap().to_bytes())
        })
        .await;
        let sent: Vec<u8> = (0..8_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let request = Request::post("/").body(RequestBody::whole(sent.clone())).unwrap();
        let upstreams = upstreams(authority.roots());
        let answer = upstreams.send(&origin.target(Transport::Tls), &origin.rule(), request).await.unwrap();
        assert!(answer.into_body().collect().await.unwrap().to_bytes() == sent, "{protocol}");
    }
}

#[tokio::test]
async fn more_connections_than_allowed_wait_and_idle_ones_make_way() {
    let holding = TestOrigin::raw(|stream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let (first, second) = (TestOrigin::plain(seen).await, TestOrigin::plain(seen).await);
    let limits = Limits { connections: 1, connect: Duration::from_secs(2), ..Limits::default() };
    let upstreams = Arc::new(Upstreams::new(nobody(), &limits));
    let send = |origin: &TestOrigin| {
        let (upstreams, target, rule) = (Arc::clone(&upstreams), origin.target(Transport::Plain), origin.rule());
        async move { upstreams.send(&target, &rule, get("/")).await.map(|answer| answer.status()) }
    };
    for _ in 0..3 {
        assert_eq!(send(&first).await, Ok(StatusCode::OK));
        assert_eq!(send(&second).await, Ok(StatusCode::OK));
    }
    let held = tokio::spawn(send(&holding));
    while holding.connections() < 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(send(&first).await.unwrap_err().code, Code::Busy);
    held.abort();
}

#[tokio::test]
async fn a_connection_that_is_idle_for_too_long_is_closed() {
    let origin = TestOrigin::plain(seen).await;
    let limits = Limits { idle: Duration::from_millis(30), ..Limits::default() };
    let upstreams = Upstreams::new(nobody(), &limits);
    text(upstreams.send(&origin.target(Transport::Plain), &origin.rule(), get("/")).await.unwrap()).await;
    while upstreams.places.free() < limits.connections {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    text(upstreams.send(&origin.target(Transport::Plain), &origin.rule(), get("/")).await.unwrap()).await;
    assert_eq!(origin.connections(), 2);
}

#[tokio::test]
async fn when_it_is_dropped_every_connection_ends() {
    let authority = TestAuthority::new();
    for protocol in ["h2", "http/1.1"] {
        let (tell, mut told) = mpsc::unbounded_channel();
        let acceptor = authority.acceptor(&[protocol], |_| ());
        let origin = TestOrigin::raw(move |stream: TcpStream, _| {
            let (acceptor, tell) = (acceptor.clone(), tell.clone());
            async move {
                let mut stream = acceptor.accept(stream).await.unwrap();
                stream.read_u8().await.unwrap();
                tell.send("begun").unwrap();
                let _ = stream.read_to_end(&mut Vec::new()).await;
                tell.send("ended").unwrap();
            }
        })
        .await;
        let (upstreams, target, rule) = (upstreams(authority.roots()), origin.target(Transport::Tls), origin.rule());
        tokio::select! {
            _ = upstreams.send(&target, &rule, get("/")) => unreachable!("nobody answers"),
            begun = told.recv() => assert_eq!(begun, Some("begun"), "{protocol}"),
        }
        drop(upstreams);
        assert_eq!(told.recv().await, Some("ended"), "{protocol}");
    }
}

#[tokio::test]
async fn those_who_waited_for_a_connection_share_its_failure() {
    let asked = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&asked);
    let origin = TestOrigin::raw(move |stream, _| {
        *counted.lock().unwrap() += 1;
        async move { drop(stream) }
    })
    .await;
    let (upstreams, target, rule) = (Arc::new(upstreams(nobody())), origin.target(Transport::Tls), origin.rule());
    let send = || async { upstreams.send(&target, &rule, get("/")).await.map(|_| ()) };
    let results: [Result<(), Failure>; 4] = tokio::join!(send(), send(), send(), send()).into();
    assert!(results.iter().all(Result::is_err));
    assert_eq!(*asked.lock().unwrap(), 1);
}
