//! The `native` backend: bottles made of Linux namespaces, with nothing to install.
//!
//! Two halves: the session's side (the files beside it), and what makes the bottle from within (`inside`) and then serves it as
//! the crate `helper` does for every backend. `docs/design/0002-native-backend.md` tells why it is built this way.

#![deny(unsafe_code)]

mod backend;
mod bottle;
mod cgroup;
mod check;
mod host_file;
mod ids;
mod inside;
mod launch;
mod mount_table;
mod outlet;
mod ports;
mod sys;
mod system_folders;

pub use backend::{HelperProgram, NativeBackend};
/// For the test that compares the filter with Docker's.
#[doc(hidden)]
pub use helper::seccomp;
pub use inside::{HELPER, run as run_helper};
pub use sys::{begin, give_memory_back};
