use std::time::{Duration, Instant};

use serde::Serialize;

use crate::window::Window;

/// What one connection after another saw.
#[derive(Debug, Default)]
pub struct Seen {
    taken: Vec<Duration>,
    errors: u64,
    first: Option<String>,
}

/// What is printed.
#[derive(Debug, Default, Serialize)]
pub struct Figures {
    /// Requests that ended while it was measured.
    pub requests: u64,
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Megabytes (10^6) of bodies a second, where that is what was measured.
    pub mb_per_second: f64,
    pub errors: u64,
    /// Why the first of the errors happened.
    pub error: Option<String>,
}

/// A connection that fails this often is given up.
const PATIENCE: u64 = 20;

impl Seen {
    pub fn answered(&mut self, window: &Window, from: Instant) {
        let to = Instant::now();
        if window.counts(to) {
            self.taken.push(to - from);
        }
    }

    pub fn taken(&mut self, taken: Duration) {
        self.taken.push(taken);
    }

    /// Notes an error; answers whether it is worth going on.
    pub fn failed(&mut self, error: &anyhow::Error) -> bool {
        self.errors += 1;
        self.first.get_or_insert_with(|| format!("{error:#}"));
        self.errors < PATIENCE
    }

    pub fn add(&mut self, other: Self) {
        self.taken.extend(other.taken);
        self.errors += other.errors;
        self.first = self.first.take().or(other.first);
    }

    pub fn figures(mut self, seconds: f64) -> Figures {
        self.taken.sort_unstable();
        Figures {
            requests: self.taken.len() as u64,
            per_second: self.taken.len() as f64 / seconds,
            p50_ms: share(&self.taken, 0.50),
            p99_ms: share(&self.taken, 0.99),
            mb_per_second: 0.0,
            errors: self.errors,
            error: self.first,
        }
    }
}

/// The value below which `part` of the sorted values lie, in milliseconds.
pub fn share(sorted: &[Duration], part: f64) -> f64 {
    let at = (sorted.len() as f64 * part) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).map_or(0.0, |taken| taken.as_secs_f64() * 1e3)
}
