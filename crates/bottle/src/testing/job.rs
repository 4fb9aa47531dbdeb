use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::interrupt::Interrupt;
use super::locked;
use super::process::FakeEvent;

/// A program and everything it has started, daemons too: what is killed together.
#[derive(Debug)]
pub(super) struct Job {
    members: Mutex<Members>,
    count: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Members {
    killed: bool,
    processes: Vec<Arc<Signals>>,
}

impl Job {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { members: Mutex::default(), count: watch::Sender::new(0) })
    }

    /// Adds a process.
    ///
    /// # Errors
    /// When the job has been killed: nothing starts in it any more.
    pub(super) fn join(&self, process: &Arc<Signals>) -> io::Result<()> {
        let mut members = locked(&self.members);
        if members.killed {
            return Err(io::Error::other("killed"));
        }
        members.processes.push(process.clone());
        self.count.send_replace(members.processes.len());
        Ok(())
    }

    pub(super) fn leave(&self, process: &Arc<Signals>) {
        let mut members = locked(&self.members);
        members.processes.retain(|member| !Arc::ptr_eq(member, process));
        self.count.send_replace(members.processes.len());
    }

    /// What the terminal's line discipline does for Ctrl-C, and the kernel for `SIGWINCH`.
    pub(super) fn deliver_to_all(&self, event: FakeEvent) {
        for process in &locked(&self.members).processes {
            process.deliver(event);
        }
    }

    pub(super) fn kill(&self) {
        let mut members = locked(&self.members);
        members.killed = true;
        for process in &members.processes {
            process.deliver(FakeEvent::Signal(9));
        }
    }

    pub(super) async fn all_gone(&self) {
        // The sender lives as long as `self`.
        let mut count = self.count.subscribe();
        let _sender_gone = count.wait_for(|&count| count == 0).await;
    }

    pub(super) fn is_empty(&self) -> bool {
        *self.count.borrow() == 0
    }
}

/// The signals of one process.
#[derive(Debug)]
pub(super) struct Signals {
    pub(super) killed: Interrupt,
    pub(super) noticed: Interrupt,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    death: Option<u8>,
    caught: BTreeSet<u8>,
    pending: VecDeque<FakeEvent>,
}

impl Signals {
    pub(super) fn new() -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self { killed: Interrupt::new()?, noticed: Interrupt::new()?, state: Mutex::default() }))
    }

    pub(super) fn deliver(&self, event: FakeEvent) {
        let mut state = locked(&self.state);
        match event {
            FakeEvent::Signal(signal) if signal == 9 || !state.caught.contains(&signal) => {
                state.death.get_or_insert(signal);
                self.killed.raise();
            }
            FakeEvent::Signal(_) | FakeEvent::Resized => {
                state.pending.push_back(event);
                self.noticed.raise();
            }
        }
    }

    pub(super) fn catch(&self, signal: u8) {
        locked(&self.state).caught.insert(signal);
    }

    pub(super) fn next(&self) -> Option<FakeEvent> {
        let mut state = locked(&self.state);
        let event = state.pending.pop_front();
        if state.pending.is_empty() {
            self.noticed.clear();
        }
        event
    }

    pub(super) fn death(&self) -> Option<u8> {
        locked(&self.state).death
    }
}
