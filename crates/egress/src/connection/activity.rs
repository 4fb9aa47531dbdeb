use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::Limits;
use crate::framing::Gate;
use crate::written::Open;

/// What a connection is doing, so that one clock can watch over it without being set for every request.
pub(crate) struct Activity {
    began: Instant,
    /// Milliseconds after `began` at which the present head began, plus one; 0 while there is none.
    head: AtomicU64,
    /// Milliseconds after `began` at which the last request ended.
    idle: AtomicU64,
    requests: AtomicUsize,
    /// Requests that were answered, or taken back.
    ended: AtomicUsize,
    taken_back: AtomicUsize,
    mocked: Notify,
}

/// As many requests anybody may take back; then not more than are answered.
const TAKEN_BACK: usize = 100;

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// A head was begun and not ended in time.
    Head,
    /// Nothing was asked for long.
    Idle,
}

/// A request that is being answered; its connection is not idle.
pub(crate) struct Busy {
    gate: Arc<Gate>,
    _open: Open,
}

impl Default for Activity {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            head: AtomicU64::new(0),
            idle: AtomicU64::new(0),
            requests: AtomicUsize::new(0),
            ended: AtomicUsize::new(0),
            taken_back: AtomicUsize::new(0),
            mocked: Notify::new(),
        }
    }
}

impl Activity {
    /// Whether a head has begun and not ended.
    pub(crate) fn head(&self, is_in_head: bool) {
        match (is_in_head, self.head.load(Ordering::Relaxed)) {
            (true, 0) => self.head.store(self.now() + 1, Ordering::Relaxed),
            (false, 1..) => self.head.store(0, Ordering::Relaxed),
            (true, 1..) | (false, 0) => {}
        }
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > 0
    }

    /// Returns when the connection has waited too long for anything.
    pub(crate) async fn overdue(&self, limits: &Limits) -> Overdue {
        loop {
            match self.judge(self.now(), limits) {
                Ok(wait) => tokio::time::sleep(wait).await,
                Err(overdue) => return overdue,
            }
        }
    }

    /// Returns when most requests are taken back before they are answered. Threat: rapid reset (CVE-2023-44487), which costs the
    /// client nothing, us work, and the other end a request and its end each time.
    pub(crate) async fn mocked(&self) {
        self.mocked.notified().await;
    }

    fn taken_back(&self) {
        let taken_back = self.taken_back.fetch_add(1, Ordering::Relaxed) + 1;
        if taken_back > TAKEN_BACK && taken_back * 2 > self.ended.load(Ordering::Relaxed) {
            self.mocked.notify_one();
        }
    }

    /// How long nothing can be overdue, or what is.
    fn judge(&self, now: u64, limits: &Limits) -> Result<Duration, Overdue> {
        let left = |since: u64, limit: Duration| limit.checked_sub(Duration::from_millis(now.saturating_sub(since)));
        let rest = match self.head.load(Ordering::Relaxed) {
            0 => limits.head,
            since => left(since - 1, limits.head).filter(|rest| !rest.is_zero()).ok_or(Overdue::Head)?,
        };
        if self.is_busy() {
            return Ok(rest);
        }
        let idle = left(self.idle.load(Ordering::Relaxed), limits.idle).filter(|rest| !rest.is_zero()).ok_or(Overdue::Idle)?;
        Ok(rest.min(idle))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1)
    }
}

impl Busy {
    /// A request on the connection of `gate`.
    pub(crate) fn new(gate: &Arc<Gate>, open: Open) -> Self {
        gate.activity.requests.fetch_add(1, Ordering::Relaxed);
        Self { gate: Arc::clone(gate), _open: open }
    }

    /// The client does not want the answer any more.
    pub(crate) fn taken_back(&self) {
        self.gate.activity.taken_back();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let activity = &self.gate.activity;
        activity.idle.store(activity.now(), Ordering::Relaxed);
        activity.ended.fetch_add(1, Ordering::Relaxed);
        activity.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use tokio::sync::Semaphore;

    use super::{Busy, Overdue};
    use crate::Limits;
    use crate::framing::Gate;

    #[test]
    fn heads_and_idleness_have_their_own_limits_and_answers_have_none() {
        let limits = Limits { head: Duration::from_secs(2), idle: Duration::from_secs(5), ..Limits::default() };
        let gate = Arc::new(Gate::default());
        let activity = &gate.activity;
        assert_eq!(activity.judge(1_000, &limits), Ok(Duration::from_secs(2)));
        assert_eq!(activity.judge(4_000, &limits), Ok(Duration::from_secs(1)));
        assert_eq!(activity.judge(5_000, &limits), Err(Overdue::Idle));
        let busy = Busy::new(&gate, Arc::new(Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap()));
        assert_eq!(activity.judge(50_000, &limits), Ok(Duration::from_secs(2)));
        activity.head.store(49_001, Ordering::Relaxed);
        assert_eq!(activity.judge(50_000, &limits), Ok(Duration::from_secs(1)));
        assert_eq!(activity.judge(51_000, &limits), Err(Overdue::Head));
        activity.head(false);
        drop(busy);
        assert!(!activity.is_busy());
        assert_eq!(activity.judge(1_000, &limits), Ok(Duration::from_secs(2)));
    }
}
