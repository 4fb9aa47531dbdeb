//! Plans and sessions with bottles in memory: what is hard to bring about with real ones.

#![allow(clippy::disallowed_methods, reason = "tests write manifests")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers fail the test")]

mod faulty;
mod phases;
mod planning;
mod scene;
