use std::net::SocketAddr;
use std::sync::Arc;

use super::answer::Answer;
use super::door::Door;
use super::journal::{Connected, Journal, Recorded};
use super::paths::by_path;
use super::serve::serve;
use super::thread::Thread;

/// A server that answers as the test says and remembers what it was asked. Dropping it ends it.
#[derive(Debug)]
pub struct Origin {
    thread: Thread,
    journal: Journal,
}

impl Origin {
    /// A server whose `answer` decides on each request's head.
    pub fn start(door: Door, answer: impl Fn(&Recorded) -> Answer + Send + Sync + 'static) -> Self {
        let (journal, config) = (Journal::new(), door.config());
        let seen = journal.clone();
        let thread = Thread::start(move |listener| serve(listener, config, seen, Arc::new(answer)));
        Self { thread, journal }
    }

    /// One that answers by path ([`by_path`]).
    pub fn new(door: Door) -> Self {
        Self::start(door, by_path)
    }

    /// Where it listens, on `127.0.0.1`: what a rule's `dial` names.
    pub fn address(&self) -> SocketAddr {
        self.thread.address
    }

    /// Every request so far, in the order of their heads.
    pub fn requests(&self) -> Vec<Recorded> {
        self.journal.requests()
    }

    /// Every connection so far.
    pub fn connections(&self) -> Vec<Connected> {
        self.journal.connections()
    }

    /// Asserts that nobody has even connected.
    #[track_caller]
    pub fn assert_untouched(&self) {
        let (connections, requests) = (self.connections(), self.requests());
        assert!(connections.is_empty() && requests.is_empty(), "the origin was reached: {connections:?} {requests:#?}");
    }

    /// Blocks until the requests so far are as `holds` wants them. Not for tests that share a runtime with what they test.
    pub fn wait(&self, what: &str, holds: impl Fn(&[Recorded]) -> bool) {
        self.journal.wait(what, holds);
    }

    /// [`Origin::wait`] for tests with a runtime.
    pub async fn until(&self, what: &str, holds: impl Fn(&[Recorded]) -> bool) {
        self.journal.until(what, holds).await;
    }
}
