//! The relay: carries what the programs of a bottle connect to from the bottle's network to the session's Unix socket.
//!
//! ```text
//! bot-bottle-relay transparent|explicit SOCKET
//! ```
//!
//! It runs in a container of its own that shares the bottle's network namespace and nothing else (`transparent`: it makes every
//! address local and listens on all of them), or inside the bottle where that cannot be (`explicit`: it listens where
//! `HTTP_PROXY` points, and has no more power than any program there). Every connection goes to the session with a PROXY header
//! of version 2 before it; every datagram as a connection of its own, whose answer is what comes back. The first connection is
//! the relay's own: it says that the listeners are open, and its end is the relay's end.
//!
//! Nothing but the standard library, linked statically: it runs in an empty image, and there is little of it to attack. Where it has
//! a container of its own the bytes themselves never enter it (`splice(2)`).

#![deny(unsafe_code)]

mod connection;
mod datagram;
mod direction;
mod header;
mod listeners;
mod netlink;
mod privileges;
mod relay;
mod sys;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use listeners::Listeners;

/// Where the relay stands, and so what it may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// In a network that is its own to arrange: whatever is connected to arrives.
    Transparent,
    /// Inside the bottle, as a user: the explicit proxy alone.
    Explicit,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "bot-bottle-relay: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<()> {
    let (way, socket) = arguments()?;
    if way == Way::Transparent {
        during("making every address local", netlink::everything_is_local())?;
    }
    let listeners = during("listening", Listeners::open(way))?;
    let descriptors = during("raising the limit of descriptors", sys::raise_descriptor_limit())?;
    during("giving up every privilege", privileges::give_up(way))?;
    let session = during("telling the session that the way out is open", sys::connect_unix(&socket))?;
    relay::Relay::new(way, listeners, session, socket, descriptors)?.run()
}

fn arguments() -> io::Result<(Way, PathBuf)> {
    let mut arguments = std::env::args_os().skip(1);
    let way = match arguments.next().as_ref().and_then(|way| way.to_str()) {
        Some("transparent") => Way::Transparent,
        Some("explicit") => Way::Explicit,
        Some(_) | None => return Err(io::Error::other("usage: bot-bottle-relay transparent|explicit SOCKET")),
    };
    let socket = arguments.next().ok_or_else(|| io::Error::other("the session's socket is not named"))?;
    Ok((way, socket.into()))
}

fn during<T>(what: &str, done: io::Result<T>) -> io::Result<T> {
    done.map_err(|error| io::Error::new(error.kind(), format!("{what}: {error}")))
}
