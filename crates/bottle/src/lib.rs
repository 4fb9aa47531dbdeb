//! The contract between whatever makes bottles and whatever uses them.
//!
//! A [`Bottle`] is a running, isolated place for one agent. A [`Backend`] makes bottles; an [`Outlet`] is a bottle's only
//! way out. Everything above this crate sees only these traits, so that provisioning, sessions and services are written
//! once. What differs between backends is data: [`Capabilities`].

#![forbid(unsafe_code)]

mod backend;
mod capabilities;
mod environment;
mod exec;
mod guest_path;
mod handle;
mod host_place;
mod limits;
mod name;
mod outlet;
mod process;
pub mod proxy_header;
mod spec;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tree;
mod user;

pub use backend::{Backend, BackendName, CloseError, LaunchError, Launched, Leftover, Progress, Unavailable};
pub use capabilities::{Boundary, Capabilities, ImageSupport, LimitSupport, Replacing, Terminals, Users};
pub use environment::environment;
pub use exec::{Exec, ExecError, ExitStatus, Output};
pub use guest_path::{GuestPath, GuestPathError};
pub use handle::{Bottle, CopyError};
pub use host_place::{FileId, HostPlace, PlaceError, open_exactly};
pub use limits::{LimitHit, Limits};
pub use name::{BottleName, BottleNameError};
pub use outlet::{Arrival, ByteStream, Destination, Outlet, OutletError, Reply};
pub use process::{Process, Running, Signal, Stdio, TerminalSize};
pub use spec::{BottleSpec, Dockerfile, Recipe, RootFs, Tool};
pub use tree::{Tree, TreePath, TreeSink};
pub use user::User;
