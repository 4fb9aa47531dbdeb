//! The `docker` backend: bottles in containers, on Docker, rootless Docker or Podman, under gVisor where the engine knows it.
//!
//! Two containers make a bottle: the agent's, whose first process is the helper (crate `helper`), and the relay's, which shares
//! its network namespace and alone can reach the session. `docs/design/0004-docker.md` tells why it is built this way.

#![forbid(unsafe_code)]

mod attach;
mod backend;
mod background;
mod bottle;
mod build;
mod check;
mod close;
mod containers;
mod engine;
mod images;
mod launch;
mod leftovers;
mod place;
mod settings;
mod trial;
mod unreached;

pub use backend::{DockerBackend, NAME};
pub use settings::{BuildSettings, Runtime, Settings};
