use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use policy::{Code, Refusal};
use store::{Audit, Passed, Record, Traffic};
use tokio::sync::Notify;

/// What became of everything that came: on disk, in memory for the agent to read, and counted.
pub(crate) struct Records {
    audit: Arc<Audit>,
    traffic: Arc<Traffic>,
    recent: Mutex<VecDeque<Recent>>,
    waiting: Notify,
    passed: AtomicU64,
    refused: AtomicU64,
}

/// A refusal, as the agent may read it again.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Recent {
    pub(crate) code: &'static str,
    pub(crate) asked: String,
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// What was refused, in the words of the audit.
pub(crate) struct Refused<'a> {
    pub(crate) refusal: &'a Refusal,
    /// Where the connection went: `proxy`, or an address.
    pub(crate) destination: &'a str,
    /// `http`, `tls`, `dns`, `ssh`, `unknown`, `silent`.
    pub(crate) kind: &'static str,
    /// Method and host; never a query.
    pub(crate) asked: String,
}

/// How many refusals the agent can read again.
const RECENT: usize = 50;
/// Characters of each of their texts that are kept. Threat: a method or host of 64 KiB in every one of them.
const RECENT_TEXT: usize = 300;
/// How long records of what passed may wait in memory.
const SOON: Duration = Duration::from_millis(100);
/// How often writing is tried again.
const AGAIN: Duration = Duration::from_secs(1);

fn cut(text: &str) -> String {
    text.chars().take(RECENT_TEXT).collect()
}

impl Records {
    pub(crate) fn new(audit: Arc<Audit>, traffic: Arc<Traffic>) -> Self {
        let (recent, waiting) = (Mutex::default(), Notify::new());
        Self { audit, traffic, recent, waiting, passed: AtomicU64::new(0), refused: AtomicU64::new(0) }
    }

    /// Records a refusal, once. Nothing passes whether or not it could be written, so a full disk opens nothing; the audit
    /// counts what is not in its file.
    pub(crate) fn refused(&self, refused: Refused<'_>) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        let Refused { refusal, destination, kind, asked } = refused;
        let code = refusal.code.as_str();
        let recent = Recent { code, asked: cut(&asked), message: cut(&refusal.message), hint: refusal.hint.clone() };
        let _ = self.audit.append(&Record { time: Timestamp::now(), code, destination: destination.to_owned(), kind, asked });
        let mut all = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == RECENT {
            all.pop_front();
        }
        all.push_back(recent);
    }

    /// Records what passed, at its end.
    pub(crate) fn passed(&self, passed: &Passed) {
        self.passed.fetch_add(1, Ordering::Relaxed);
        self.traffic.record(passed);
        self.waiting.notify_one();
    }

    /// Nothing passes while what passes cannot be recorded.
    pub(crate) fn ready(&self) -> Result<(), Refusal> {
        if self.traffic.is_broken() { Err(crate::refusal::plain(Code::Unrecorded)) } else { Ok(()) }
    }

    /// The last refusals, oldest first.
    pub(crate) fn recent(&self) -> Vec<Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// How many requests and connections passed, and how many were refused.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.passed.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed))
    }

    /// Writes what waits, soon after it came; never returns. Sleeps while nothing waits.
    pub(crate) async fn keep_written(&self) {
        loop {
            self.waiting.notified().await;
            tokio::time::sleep(SOON).await;
            while self.traffic.flush().is_err() {
                // Until it can be written nothing passes: `Traffic::is_broken`.
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}
