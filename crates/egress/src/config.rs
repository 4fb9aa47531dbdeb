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
    /// Credentials that a bottle may show on routes to the person's own account: the placeholders that its agent was given,
    /// and values that the person gave the bottle knowingly. Any other is foreign, and refused there.
    pub known: Vec<Secret>,
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
    /// How long a connection may take to say what it is, to shake hands, and to send the head of its next request once begun.
    pub head: Duration,
    /// How long an idle connection is kept.
    pub idle: Duration,
    /// How long connecting to a host and shaking hands with it may take.
    pub connect: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            head_bytes: 64 * 1024,
            headers: 100,
            streams: 128,
            head: Duration::from_secs(30),
            idle: Duration::from_secs(300),
            connect: Duration::from_secs(15),
        }
    }
}
