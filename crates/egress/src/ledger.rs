use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use jiff::Timestamp;
use policy::{Code, LogLevel};
use store::Passed;

use crate::connection::Busy;
use crate::state::Shared;

/// One thing that passes: records itself when it ends, however it ends.
pub(crate) struct Ledger {
    shared: Arc<Shared>,
    time: Timestamp,
    began: Instant,
    said: Said,
    status: Option<u16>,
    sent: Arc<AtomicU64>,
    received: u64,
    end: End,
    /// Its connection is not idle while it lasts.
    busy: Option<Busy>,
}

/// What it is.
pub(crate) struct Said {
    pub(crate) method: http::Method,
    /// `https://example.org`
    pub(crate) to: String,
    pub(crate) path: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It lasts; should it be dropped now, the bottle's side has gone.
    Open,
    Complete,
    Broken,
    /// It was refused after all: that is recorded elsewhere.
    Refused,
}

/// The bottle's side went away before the end.
const LEFT: &str = "bottle.left";

impl Ledger {
    pub(crate) fn new(shared: Arc<Shared>, said: Said, busy: Option<Busy>) -> Self {
        let (time, began) = (Timestamp::now(), Instant::now());
        Self { shared, time, began, said, status: None, sent: Arc::default(), received: 0, end: End::Open, busy }
    }

    /// Counts what is sent.
    pub(crate) fn sent(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.sent)
    }

    pub(crate) fn received(&mut self, count: usize) {
        self.received += count as u64;
    }

    pub(crate) fn status(&mut self, status: u16) {
        self.status = Some(status);
    }

    pub(crate) fn complete(&mut self) {
        self.end = End::Complete;
    }

    pub(crate) fn broken(&mut self) {
        self.end = End::Broken;
    }

    /// What it was, for the refusal that came of it.
    pub(crate) fn refused(&mut self) -> &Said {
        self.end = End::Refused;
        &self.said
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        if self.end == End::Open
            && let Some(busy) = &self.busy
        {
            busy.taken_back();
        }
        let failed = match self.end {
            End::Complete => None,
            End::Open => Some(LEFT),
            End::Broken => Some(Code::UpstreamProtocol.as_str()),
            End::Refused => return,
        };
        self.shared.records.passed(&Passed {
            time: self.time,
            method: self.said.method.as_str().to_owned(),
            to: std::mem::take(&mut self.said.to),
            path: self.said.path.take().filter(|_| self.shared.log == LogLevel::Everything),
            status: self.status,
            sent: self.sent.load(Ordering::Relaxed),
            received: self.received,
            millis: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            failed,
        });
    }
}
