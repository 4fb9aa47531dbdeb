//! A bottle in memory, for tests (cargo feature `testing`).
//!
//! It keeps the whole contract and passes the conformance suite, so that what is built on [`crate::Bottle`] can be tested
//! anywhere and fast. It isolates nothing. Programs in it are Rust functions on threads of their own: [`FakeBackend::program`]
//! puts one under a name into `/usr/bin`, and a file that holds [`program_file`] of a name is that program wherever it lies.
//! What such a function does goes through its [`FakeProcess`], where it is interrupted when it is killed.

mod backend;
mod bottle;
mod capture;
mod copy;
mod files;
mod interrupt;
mod job;
mod network;
mod node;
mod outlet;
mod process;
mod programs;
mod start;
mod terminal;
mod world;

pub use backend::FakeBackend;
pub use bottle::FakeBottle;
pub use files::{FakeFiles, FakeKind, FakeStat};
pub use network::FakeStream;
pub use outlet::FakeOutlet;
pub use process::{FakeEvent, FakeProcess, FakeTerminal};
pub use programs::{FakeProgram, program_file};
pub use world::Recorded;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A lock that a panicking program has not spoiled.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
