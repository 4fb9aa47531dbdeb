//! The helper: PID 1 of a bottle, which starts programs, watches over them and copies trees in and out, and the session's side
//! of the conversation with it (feature `session`).
//!
//! How a bottle comes to be is the backends' affair; once it stands, every backend of containers serves it alike. Both sides
//! meet in [`wire`].

#![deny(unsafe_code)]

mod beneath;
pub mod bridge;
mod contained;
mod exec;
pub mod family;
mod groups;
mod keeper;
mod machine;
mod pack;
pub mod privileges;
mod program;
pub mod seccomp;
pub mod serve;
#[cfg(feature = "session")]
pub mod session;
pub mod step;
pub mod sys;
mod syscalls;
mod traced;
mod unpack;
pub mod wire;

pub use contained::{HELLO, run as run_contained};
