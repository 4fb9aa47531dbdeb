//! The rules of ARCHITECTURE.md that a machine can check.

#![allow(clippy::panic, clippy::expect_used, reason = "a test fails by panicking")]

mod backend_names;
mod file_size;
mod layers;
mod names;
mod source;
mod threat_model;
mod tokens;
mod unfinished;
mod unsafe_code;
