//! The attacks.

use testkit::escape::Arena;

use crate::backend::{backend, helper};

async fn arena() -> Option<Arena> {
    Some(Arena::open(backend(), "userns").await?.guarding(helper()))
}

testkit::escape_suite!(arena());
