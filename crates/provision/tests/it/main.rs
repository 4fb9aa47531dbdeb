//! Provisioning, through `dyn Bottle` alone: every scenario runs on whatever bottle it is given.
#![allow(clippy::disallowed_methods, reason = "tests make files of their own")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking; clippy sees tests only in unit tests")]

mod fake;
mod host;
mod native;
mod scenarios;
