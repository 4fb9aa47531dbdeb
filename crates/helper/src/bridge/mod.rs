//! The control stream over a plain stream of bytes, for helpers that no descriptor can be handed to.
//!
//! A helper takes requests with descriptors attached (`wire`), which a Unix socket between two processes of one kernel carries.
//! Between the session and a container there are two pipes that an engine copies, or another kernel altogether (gVisor). So each
//! side of such a stream has a *bridge*: it speaks `wire` with its own neighbour (the session, or PID 1 of the bottle), makes a
//! *conversation* of every request, a *lane* of every descriptor in it, and moves what is read on one side to where it is written
//! on the other. Neither neighbour can tell the difference.
//!
//! Flow: each direction of a lane has a window; what is not read at its end is not sent, so a slow reader holds up nobody else and
//! no side ever keeps more than the window. Order: a message never overtakes the bytes that were there before it, so that a
//! program's last output comes before the news of its end.
//!
//! Trust: what a bridge hears from inside a bottle is the bottle's word. A frame that breaks the rules ends the bridge, and with
//! it the bottle.

mod conversation;
mod endpoint;
mod frame;
mod lane;
mod pending;

use std::io;
use std::os::fd::OwnedFd;

/// Which neighbour a bridge serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The session asks.
    Session,
    /// The helper answers.
    Helper,
}

/// Bridges until either the control stream or the stream of bytes ends. `control`: the neighbour's stream; `incoming` and
/// `outgoing`: the stream of bytes, which may be one socket twice.
///
/// # Errors
/// When the other side breaks the rules, or the system fails.
pub fn run(side: Side, control: OwnedFd, incoming: OwnedFd, outgoing: OwnedFd) -> io::Result<()> {
    endpoint::Endpoint::new(side, control, incoming, outgoing)?.run()
}

#[cfg(test)]
mod tests;
