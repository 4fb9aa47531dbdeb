//! The guard before the HTTP/1 server: whatever two servers could frame differently goes no further.
//!
//! Threat: request smuggling. A message that we end in one place and the next server in another hides a request that nobody
//! has judged (RFC 9112 §11.2). hyper is strict already; this makes the strictness ours: tested, told and recorded.

mod guard;
mod message;

pub(crate) use guard::{Gate, Guard};
pub use message::{Bounds, Framing, Violation};
