use std::time::{Duration, Instant};

use crate::options::Load;

/// The time in which requests count: they end in it. Those that began before make up for those that end after.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub begin: Instant,
    pub end: Instant,
}

impl Window {
    /// The window that `load` asks for, from now.
    pub fn of(load: &Load) -> Self {
        let begin = Instant::now() + Duration::from_secs_f64(load.warm);
        Self { begin, end: begin + Duration::from_secs_f64(load.seconds) }
    }

    pub fn open(&self) -> bool {
        Instant::now() < self.end
    }

    pub fn counts(&self, ended: Instant) -> bool {
        self.begin <= ended && ended <= self.end
    }

    pub fn seconds(&self) -> f64 {
        (self.end - self.begin).as_secs_f64()
    }
}
