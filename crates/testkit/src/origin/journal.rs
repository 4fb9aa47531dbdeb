use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256};
use http::{HeaderMap, Method, Uri, Version};
use tokio::sync::watch;

/// How much of a body is kept.
const KEPT: usize = 1024 * 1024;
/// Ends a test that would hang.
const BOUND: Duration = Duration::from_secs(120);

/// A request as an origin got it.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Which connection brought it: its place in [`Origin::connections`](super::Origin::connections).
    pub connection: usize,
    /// HTTP/1.1 or HTTP/2.
    pub version: Version,
    /// The method.
    pub method: Method,
    /// The target as it was sent: a path in HTTP/1.1, with scheme and authority in HTTP/2.
    pub uri: Uri,
    /// The headers; HTTP/2's `:authority` stands in `uri`.
    pub headers: HeaderMap,
    /// The body so far.
    pub body: BodySeen,
}

/// What has arrived of a body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BodySeen {
    /// Its first bytes, 1 MiB at most.
    pub start: Vec<u8>,
    /// How many bytes in all.
    pub len: u64,
    /// SHA-256 of all bytes, once it ended well.
    pub sha256: Option<Vec<u8>>,
    /// The trailers, where some came.
    pub trailers: Option<HeaderMap>,
    /// Whether it broke off.
    pub broken: bool,
}

/// A connection that an origin accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connected {
    /// The name in the ClientHello.
    pub sni: Option<String>,
    /// The protocol that was agreed.
    pub alpn: Option<String>,
    /// Why the handshake failed.
    pub failed: Option<String>,
}

impl Recorded {
    /// A header's only value, as text. `None` where it is missing or there are several.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(first)
    }

    /// Method and path with query: `GET /a?b`.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.uri.path_and_query().map_or("*", |path| path.as_str()))
    }

    /// The start of the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body.start).into_owned()
    }

    /// Every byte that is kept, to be searched for what must not be there.
    pub fn everything(&self) -> String {
        format!("{} {} {:?} {} {:?}", self.method, self.uri, self.headers, self.text(), self.body.trailers)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Journal {
    entries: Arc<Mutex<Entries>>,
    changed: Arc<Condvar>,
    version: Arc<watch::Sender<u64>>,
}

#[derive(Debug, Default)]
struct Entries {
    requests: Vec<Recorded>,
    connections: Vec<Connected>,
}

/// One request's place in the journal.
#[derive(Clone)]
pub(super) struct Entry {
    journal: Journal,
    at: usize,
    hash: Context,
}

impl Journal {
    pub(super) fn new() -> Self {
        Self { entries: Arc::default(), changed: Arc::default(), version: Arc::new(watch::Sender::new(0)) }
    }

    pub(super) fn connected(&self) -> usize {
        self.write(|entries| {
            entries.connections.push(Connected::default());
            entries.connections.len() - 1
        })
    }

    pub(super) fn shaken(&self, connection: usize, seen: Connected) {
        self.write(|entries| entries.connections[connection] = seen);
    }

    pub(super) fn asked(&self, request: Recorded) -> Entry {
        let at = self.write(|entries| {
            entries.requests.push(request);
            entries.requests.len() - 1
        });
        Entry { journal: self.clone(), at, hash: Context::new(&SHA256) }
    }

    pub(super) fn requests(&self) -> Vec<Recorded> {
        self.read().requests.clone()
    }

    pub(super) fn connections(&self) -> Vec<Connected> {
        self.read().connections.clone()
    }

    /// Blocks until `holds`.
    pub(super) fn wait(&self, what: &str, holds: impl Fn(&[Recorded]) -> bool) {
        let end = Instant::now() + BOUND;
        let mut entries = self.read();
        while !holds(&entries.requests) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{what}: never seen; {:#?}", entries.requests);
            entries = self.changed.wait_timeout(entries, left).unwrap().0;
        }
    }

    pub(super) async fn until(&self, what: &str, holds: impl Fn(&[Recorded]) -> bool) {
        let mut version = self.version.subscribe();
        let wait = version.wait_for(|_| holds(&self.read().requests));
        assert!(tokio::time::timeout(BOUND, wait).await.is_ok(), "{what}: never seen; {:#?}", self.requests());
    }

    fn read(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap()
    }

    fn write<T>(&self, change: impl FnOnce(&mut Entries) -> T) -> T {
        let result = change(&mut self.read());
        self.changed.notify_all();
        self.version.send_modify(|version| *version += 1);
        result
    }
}

impl Entry {
    pub(super) fn data(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.body(|body| {
            body.len += bytes.len() as u64;
            body.start.extend_from_slice(&bytes[..bytes.len().min(KEPT - body.start.len())]);
        });
    }

    pub(super) fn trailers(&mut self, trailers: HeaderMap) {
        self.body(|body| body.trailers = Some(trailers));
    }

    pub(super) fn ended(&mut self) {
        let digest = self.hash.clone().finish();
        self.body(|body| body.sha256 = Some(digest.as_ref().to_vec()));
    }

    pub(super) fn broken(&mut self) {
        self.body(|body| body.broken = true);
    }

    pub(super) fn now(&self) -> Recorded {
        self.journal.read().requests[self.at].clone()
    }

    fn body(&self, change: impl FnOnce(&mut BodySeen)) {
        self.journal.write(|entries| change(&mut entries.requests[self.at].body));
    }
}
