use std::sync::Arc;

use async_trait::async_trait;
use bottle::{Arrival, Destination, Outlet, OutletError, Reply};
use store::{Audit, Home, Identity};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::mpsc;

use super::ClosedOutlet;

struct Queue(mpsc::UnboundedReceiver<Arrival>);

#[async_trait]
impl Outlet for Queue {
    async fn accept(&mut self) -> Result<Arrival, OutletError> {
        self.0.recv().await.ok_or(OutletError::Gone)
    }
}

struct Answer(mpsc::UnboundedSender<Vec<u8>>);

#[async_trait]
impl Reply for Answer {
    async fn send(self: Box<Self>, payload: &[u8]) -> std::io::Result<()> {
        self.0.send(payload.to_vec()).map_err(std::io::Error::other)
    }
}

struct Scene {
    arrivals: mpsc::UnboundedSender<Arrival>,
    audit: Arc<Audit>,
    _home: tempfile::TempDir,
}

fn scene() -> Scene {
    let home = tempfile::tempdir().unwrap();
    let audit = Arc::new(Audit::new(Home::new(home.path()), Identity::parse("a-1").unwrap()));
    let (arrivals, queue) = mpsc::unbounded_channel();
    tokio::spawn(ClosedOutlet::new(Box::new(Queue(queue)), Arc::clone(&audit)).serve());
    Scene { arrivals, audit, _home: home }
}

impl Scene {
    fn connect(&self, destination: Destination) -> DuplexStream {
        let (near, far) = tokio::io::duplex(64 * 1024);
        assert!(self.arrivals.send(Arrival::Stream { destination, stream: Box::new(far) }).is_ok());
        near
    }

    fn records(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.audit.path()).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

async fn exchange(mut stream: DuplexStream, sent: &[u8]) -> Vec<u8> {
    stream.write_all(sent).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_request_is_refused_with_a_reason_and_recorded_without_its_path() {
    let scene = scene();
    let answer =
        exchange(scene.connect(Destination::Proxy), b"GET http://example.com/canary HTTP/1.1\r\nX: canary\r\n\r\n").await;
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\nX-Bottle-Refusal: egress.closed\r\n"), "{answer}");
    let records = scene.records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["asked"], "GET example.com");
    assert_eq!(records[0]["destination"], "proxy");
    assert!(!records[0].to_string().contains("canary"));
}

#[tokio::test]
async fn tls_gets_the_alert_access_denied() {
    let scene = scene();
    let address = "203.0.113.7:443".parse().unwrap();
    let answer = exchange(scene.connect(Destination::Transparent(address)), b"\x16\x03\x01\x00\x05hello").await;
    assert_eq!(answer, [0x15, 3, 3, 0, 2, 2, 49]);
    assert_eq!(scene.records()[0]["kind"], "tls");
    assert_eq!(scene.records()[0]["destination"], "203.0.113.7:443");
}

#[tokio::test(start_paused = true)]
async fn one_that_says_nothing_is_answered_at_the_deadline() {
    let scene = scene();
    let answer = exchange(scene.connect(Destination::Proxy), b"").await;
    assert!(answer.starts_with(b"HTTP/1.1 403"));
    assert_eq!(scene.records()[0]["kind"], "silent");
}

#[tokio::test(start_paused = true)]
async fn more_connections_than_places_are_all_answered_even_when_most_are_silent() {
    let scene = scene();
    let silent: Vec<_> = (0..300).map(|_| scene.connect(Destination::Proxy)).collect();
    let answer = exchange(scene.connect(Destination::Proxy), b"GET / HTTP/1.1\r\n\r\n").await;
    assert!(answer.starts_with(b"HTTP/1.1 403"));
    for stream in silent {
        assert!(exchange(stream, b"").await.starts_with(b"HTTP/1.1 403"));
    }
    assert_eq!(scene.audit.count(), 301);
}

#[tokio::test]
async fn a_large_body_behind_the_head_is_read_so_that_the_answer_arrives() {
    let scene = scene();
    let mut stream = scene.connect(Destination::Proxy);
    let (mut read, mut write) = tokio::io::split(&mut stream);
    let sending = async {
        write.write_all(b"POST http://a/ HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n").await.unwrap();
        write.write_all(&vec![0; 1_000_000]).await.unwrap();
        write.shutdown().await.unwrap();
    };
    let mut answer = Vec::new();
    let (_, read) = tokio::join!(sending, read.read_to_end(&mut answer));
    read.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 403"));
}

#[tokio::test]
async fn dns_is_refused_and_recorded() {
    let scene = scene();
    let (sender, mut answers) = mpsc::unbounded_channel();
    let payload = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x02bc\x00\x00\x10\x00\x01".to_vec();
    let destination = Destination::Transparent("127.0.0.53:53".parse().unwrap());
    assert!(scene.arrivals.send(Arrival::Datagram { destination, payload, reply: Box::new(Answer(sender)) }).is_ok());
    let answer = answers.recv().await.unwrap();
    assert_eq!((&answer[..2], answer[3] & 0x0f), (&b"\x12\x34"[..], 5));
    assert_eq!(scene.records()[0]["asked"], "TXT a.bc");
}
