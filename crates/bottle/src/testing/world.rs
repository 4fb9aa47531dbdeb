use std::ffi::OsString;
use std::io;
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc::UnboundedSender;

use super::job::Job;
use super::outlet::Parcel;
use super::programs::Programs;
use super::{FakeFiles, locked};
use crate::{BottleName, GuestPath, User};

/// Everything inside one fake bottle.
pub(super) struct World {
    pub(super) name: BottleName,
    pub(super) files: FakeFiles,
    pub(super) programs: Programs,
    outlet: Mutex<Option<UnboundedSender<Parcel>>>,
    jobs: Mutex<Jobs>,
    record: Mutex<Vec<Recorded>>,
}

#[derive(Default)]
struct Jobs {
    closed: bool,
    running: Vec<Arc<Job>>,
}

/// One call that a fake bottle has got, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// A program was started.
    Ran {
        /// Program and arguments.
        argv: Vec<OsString>,
        /// By whom.
        user: User,
    },
    /// A tree was copied in.
    CopiedIn {
        /// The `into` of the copy.
        into: GuestPath,
        /// Whose it became.
        owner: User,
        /// How many members it had.
        members: usize,
    },
}

impl World {
    pub(super) fn new(name: BottleName, programs: Programs, outlet: UnboundedSender<Parcel>) -> Self {
        let files = FakeFiles::of_a_fresh_bottle(&programs);
        Self { name, files, programs, outlet: Mutex::new(Some(outlet)), jobs: Mutex::default(), record: Mutex::default() }
    }

    /// Adds a job; `None` when the bottle is closed.
    pub(super) fn new_job(&self) -> Option<Arc<Job>> {
        let mut jobs = locked(&self.jobs);
        if jobs.closed {
            return None;
        }
        jobs.running.retain(|job| !job.is_empty() || Arc::strong_count(job) > 1);
        let job = Job::new();
        jobs.running.push(job.clone());
        Some(job)
    }

    pub(super) fn is_closed(&self) -> bool {
        locked(&self.jobs).closed
    }

    /// Kills everything and cuts the way out; returns what has to be waited for.
    pub(super) fn close(&self) -> Vec<Arc<Job>> {
        let mut jobs = locked(&self.jobs);
        jobs.closed = true;
        locked(&self.outlet).take();
        jobs.running.iter().for_each(|job| job.kill());
        jobs.running.clone()
    }

    pub(super) fn send_out(&self, parcel: Parcel) -> io::Result<()> {
        let outlet = locked(&self.outlet);
        let sent = outlet.as_ref().map(|outlet| outlet.send(parcel).is_ok());
        if sent == Some(true) { Ok(()) } else { Err(io::ErrorKind::ConnectionRefused.into()) }
    }

    pub(super) fn record(&self, call: Recorded) {
        locked(&self.record).push(call);
    }

    pub(super) fn recorded(&self) -> Vec<Recorded> {
        locked(&self.record).clone()
    }
}
