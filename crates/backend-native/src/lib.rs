//! The `native` backend: bottles made of Linux namespaces, with nothing to install.
//!
//! Two halves that meet in `wire`: the session's side (the files beside it), and what runs in the helper (`inside`),
//! which becomes PID 1 of the bottle. `docs/design/0002-native-backend.md` tells why it is built this way.

#![deny(unsafe_code)]

mod backend;
mod bottle;
mod capture;
mod cgroup;
mod channel;
mod check;
mod copy_in;
mod copy_out;
mod ids;
mod inside;
mod launch;
mod outlet;
mod ports;
mod process;
mod sys;
mod wire;

pub use backend::{HelperProgram, NativeBackend};
/// For the test that compares the filter with Docker's.
#[doc(hidden)]
pub use inside::seccomp;
pub use inside::{HELPER, run as run_helper};
pub use sys::hear_of_children;
