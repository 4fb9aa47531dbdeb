//! The native backend on real bottles: the contract, the attacks, and what only this backend has.
//!
//! `BOT_BOTTLE_TEST_HELPER` names another helper program, for runs from a copy of the test binary as another user.

#![allow(clippy::disallowed_methods, reason = "tests write files")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "everything here runs in tests")]

mod backend;
mod caller;
mod conforms;
mod escapes;
mod filter;
mod host_mounts;
mod image;
mod killed_sessions;
mod leftovers;
mod limits;
mod spare;
mod tools;
