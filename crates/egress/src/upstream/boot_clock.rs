use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Time since the machine was started, sleep included. `Instant` stands still while a laptop sleeps, and a connection that
/// was young before would still look so after a night that no other end has waited through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BootTime(Duration);

impl BootTime {
    pub(super) fn now() -> Self {
        Self(clock_gettime(ClockId::Boottime).try_into().unwrap_or_default())
    }

    pub(super) fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}
