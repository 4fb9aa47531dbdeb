use std::time::{Duration, Instant};

use crate::options::Load;

/// The time in which requests count: they begin and end in it.
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

    pub fn counts(&self, from: Instant, to: Instant) -> bool {
        self.begin <= from && to <= self.end
    }

    pub fn seconds(&self) -> f64 {
        (self.end - self.begin).as_secs_f64()
    }
}
