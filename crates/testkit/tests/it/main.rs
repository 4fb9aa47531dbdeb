//! The fake bottle passes the conformance suite; the agents' own programs converse with the scripted model.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "everything here runs in tests"
)]

mod agents;

use std::sync::Arc;

use bottle::testing::{FakeBackend, program_file};
use bottle::{Backend, Tree};
use testkit::conformance::Harness;

struct FakeHarness;

impl Harness for FakeHarness {
    fn backend(&self) -> Arc<dyn Backend> {
        Arc::new(FakeBackend::new().program("the-probe", testkit::fake_probe))
    }

    fn probe(&self) -> Tree {
        Tree::file(program_file("the-probe"), 0o755)
    }
}

testkit::conformance!(FakeHarness);
