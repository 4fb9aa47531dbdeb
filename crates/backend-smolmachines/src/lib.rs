//! The `smolmachines` backend: bottles in microVMs of smolvm's, each with a kernel of its own.
//!
//! A machine has no network device with a route. Its workload is the helper (crate `helper`), which makes the bottle inside the machine and
//! serves it over a socket that the session shows to the machine; a second socket is the way out, to which the relay brings whatever the
//! bottle connects to. `docs/design/0005-smolmachines.md` tells why it is built this way.

#![forbid(unsafe_code)]

mod arguments;
mod backend;
mod bottle;
mod check;
mod close;
mod images;
mod launch;
mod leftovers;
mod machine;
mod settings;
mod smolvm;

pub use backend::{NAME, SmolmachinesBackend};
pub use settings::Settings;
