//! What tests of several crates share: the probe, the conformance and escape suites that every backend
//! passes, servers that stand for the network, and small things.
//!
//! This crate is never part of the program. A failed check panics, as tests do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "everything here runs in tests, where a panic is the report"
)]

mod canary;
pub mod conformance;
pub mod escape;
mod fake;
pub mod http2;
pub mod model_api;
pub mod origin;
pub mod probe;
mod probe_file;
pub mod require;
pub mod smolvm;
mod test_authority;
pub mod tls_hello;
mod wait_until;

pub use canary::canary;
pub use fake::fake_probe;
pub use probe_file::{helper_file, probe_file};
pub use require::{is_required, require};
pub use test_authority::{Leaf, TestAuthority, Validity};
pub use wait_until::wait_until;
