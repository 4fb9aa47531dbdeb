use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use policy::{Host, Rule};

use super::Failure;
use super::boot_clock::BootTime;
use super::lane::Lane;
use super::target::Target;
use super::tasks::Tasks;
use super::way::Way;

/// All lanes of one bottle.
pub(super) struct Lanes {
    state: Mutex<State>,
    idle: Duration,
}

#[derive(Default)]
struct State {
    by_host: HashMap<Host, Vec<Arc<Lane>>>,
    sweeper: Sweeper,
}

#[derive(Default, PartialEq, Eq)]
enum Sweeper {
    #[default]
    Rests,
    Runs,
}

/// Hosts that are remembered. Threat: a rule for `*.example.org`, and a bottle that asks for a million names below it.
const HOSTS_MAX: usize = 1024;

impl Lanes {
    pub(super) fn new(idle: Duration) -> Self {
        Self { state: Mutex::default(), idle }
    }

    /// How long a connection is kept without a request.
    pub(super) fn idle(&self) -> Duration {
        self.idle
    }

    /// The lane to `target` by the way that `rule` allows.
    ///
    /// # Errors
    /// When the target's name cannot be written into a request.
    pub(super) fn lane(self: &Arc<Self>, target: &Target, rule: &Rule, tasks: &Tasks) -> Result<Arc<Lane>, Failure> {
        let mut state = self.state();
        let found = state.by_host.get(&target.host).and_then(|lanes| lanes.iter().find(|lane| is_to(lane, target, rule)));
        if let Some(lane) = found {
            return Ok(Arc::clone(lane));
        }
        if state.by_host.len() >= HOSTS_MAX {
            state.sweep(BootTime::now(), self.idle);
        }
        let lane = Arc::new(Lane::new(target.clone(), Way::of(rule))?);
        state.by_host.entry(target.host.clone()).or_default().push(Arc::clone(&lane));
        if state.sweeper == Sweeper::Rests {
            state.sweeper = Sweeper::Runs;
            self.start_sweeper(tasks);
        }
        Ok(lane)
    }

    /// Closes every connection that has no request on it, for others to take its place.
    pub(super) fn close_idle(&self) {
        self.state().sweep(BootTime::now(), Duration::ZERO);
    }

    /// Closes what has been idle for too long, from time to time, until nothing is left to close.
    fn start_sweeper(self: &Arc<Self>, tasks: &Tasks) {
        let (lanes, pause) = (Arc::downgrade(self), self.idle / 3);
        tasks.spawn(async move {
            loop {
                tokio::time::sleep(pause).await;
                let Some(lanes) = lanes.upgrade() else { return };
                let mut state = lanes.state();
                state.sweep(BootTime::now(), lanes.idle);
                if state.by_host.is_empty() {
                    state.sweeper = Sweeper::Rests;
                    return;
                }
            }
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Forgets lanes that have no connection and that nobody waits in.
    fn sweep(&mut self, now: BootTime, idle: Duration) {
        self.by_host.retain(|_, lanes| {
            lanes.retain(|lane| lane.sweep(now, idle) || Arc::strong_count(lane) > 1);
            !lanes.is_empty()
        });
    }
}

fn is_to(lane: &Lane, target: &Target, rule: &Rule) -> bool {
    lane.target.port == target.port && lane.target.transport == target.transport && lane.way.is_of(rule)
}
