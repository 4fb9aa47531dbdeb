//! The smolmachines backend: with a stand-in for smolvm everywhere, and with the real one where `BOT_BOTTLE_TEST_SMOLVM` names it and
//! `BOT_BOTTLE_TEST_MACHINE_IMAGE` an image with python3 and git. `tests/rig/run` makes a machine that has both.

#![allow(clippy::disallowed_methods, reason = "tests write files and read what the rig says")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "everything here runs in tests")]

mod conforms;
mod escapes;
mod real;
mod told;
