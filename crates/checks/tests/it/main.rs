//! The rules of ARCHITECTURE.md that a machine can check.

mod backend_names;
mod file_size;
mod layers;
mod names;
mod source;
mod threat_model;
mod tokens;
mod unfinished;
mod unsafe_code;
