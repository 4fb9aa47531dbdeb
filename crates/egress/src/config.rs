use std::sync::Arc;
use std::time::Duration;

use policy::{LogLevel, Table};
use secret::Secret;
use store::{Audit, Traffic};

use crate::Credentials;

/// What one bottle's egress service works with.
pub struct Config {
    /// What may pass.
    pub table: Table,
    /// What is put into requests.
    pub credentials: Arc<dyn Credentials>,
    /// Credentials that a bottle may show on routes to the person's own account: values that the person gave the bottle
    /// knowingly. Any other, but a placeholder, is foreign, and refused there.
    pub known: Vec<Secret>,
    /// What stands in for a credential in the bottle. Where a route has none to put in its place, it is nothing to send.
    pub placeholders: Vec<Secret>,
    /// How much of what passes is told.
    pub log: LogLevel,
    /// Where refusals are recorded.
    pub audit: Arc<Audit>,
    /// Where what passes is recorded.
    pub traffic: Arc<Traffic>,
    /// Bounds.
    pub limits: Limits,
}

/// Bounds of one bottle's egress service. A bottle that reaches one waits or is refused; it never costs another bottle anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections served at once; the rest waits in the bottle's own queue.
    pub connections: usize,
    /// Bytes of one request's head.
    pub head_bytes: usize,
    /// Header fields of one request.
    pub headers: usize,
    /// Requests at once on one HTTP/2 connection.
    pub streams: u32,
    /// Requests at once on all connections.
    pub requests: usize,
    /// Bytes of bodies that are in memory at once, of all requests and answers.
    pub in_flight: usize,
    /// How long a connection may take to say what it is, to shake hands, and to send the head of its next request once begun.
    pub head: Duration,
    /// How long an idle connection is kept.
    pub idle: Duration,
    /// How long connecting to a host and shaking hands with it may take.
    pub connect: Duration,
}

impl Limits {
    /// The default in a process that may have `descriptors` open: a connection of the bottle's can cost a second one to the world,
    /// and as many again may be kept for others to use. A quarter stays for the process's own needs. Threat: a bottle that takes
    /// every descriptor, so that its refusals cannot be recorded and the person cannot stop it.
    pub fn within(descriptors: u64) -> Self {
        let default = Self::default();
        let most = usize::try_from(descriptors / 4).unwrap_or(usize::MAX);
        Self { connections: default.connections.min(most).max(1), ..default }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            head_bytes: 64 * 1024,
            headers: 100,
            streams: 128,
            requests: 512,
            in_flight: 32 << 20,
            head: Duration::from_secs(30),
            idle: Duration::from_secs(300),
            connect: Duration::from_secs(15),
        }
    }
}
