//! The docker backend on real containers: the contract, the attacks, and what only this backend has.
//!
//! `BOT_BOTTLE_TEST_DOCKER` names the engine's socket and `BOT_BOTTLE_TEST_IMAGE` an image with python3 and git; `./test` starts
//! the one and makes the other. Without them the tests are skipped.

#![allow(clippy::disallowed_methods, reason = "tests write files and read what ./test says")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "everything here runs in tests")]

mod conforms;
mod engine;
mod escapes;
mod gvisor;
mod own_engine;
mod relay;
mod trouble;
