//! The program as a person uses it: every test runs the binary, most of them with real bottles of the native backend.

#![allow(clippy::disallowed_methods, reason = "tests start the program and write manifests")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers fail the test")]

mod agents;
mod attacks;
mod control;
mod conversations;
mod elsewhere;
mod images;
mod input;
mod limits;
mod listing;
mod logs;
mod managers;
mod needs;
mod output;
mod policy;
mod prompts;
mod refusals;
mod reload;
mod scene;
mod search;
mod signals;
mod start;
mod terminal;
mod toolchains;
mod traces;
mod workspace;
