//! The session's end of a stream of bytes to a helper.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use tokio::sync::oneshot;

use crate::bridge::{self, Side};

/// A stream of bytes that is bridged.
pub struct Bridged {
    /// The session's end of the control stream.
    pub control: OwnedFd,
    /// Comes to an end when the stream has.
    pub over: oneshot::Receiver<()>,
}

/// Bridges a stream on which the helper has said that it serves, on a thread of its own.
///
/// # Errors
/// When there can be no more threads or descriptors.
pub fn bridged(incoming: OwnedFd, outgoing: OwnedFd) -> io::Result<Bridged> {
    let (control, theirs) = UnixStream::pair()?;
    let (end, over) = oneshot::channel();
    std::thread::Builder::new().name("bridge".to_owned()).spawn(move || {
        // The end of either stream is the end of the bottle, for whatever reason; the session sees it by the control stream.
        let _ = bridge::run(Side::Session, theirs.into(), incoming, outgoing);
        drop(end);
    })?;
    Ok(Bridged { control: control.into(), over })
}
