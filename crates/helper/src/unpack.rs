//! Takes a tree into the bottle: unpacks the stream beside its places, then puts every member in place at once.
//!
//! Runs as the bottle's root with the few capabilities of the helper, inside the bottle: whatever goes wrong, the host's
//! files are not there to be hit. Every path is walked descriptor by descriptor without following links, because the
//! agent may have put one where the tree is to go. What is being unpacked lies in a folder closed to `node` (0700).

mod entries;
mod keep;
mod place;
mod remove;

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::serve::Helper;
use crate::sys;
use crate::wire::{FromExec, ToExec, Unpack, receive_packet, send_packet};
use place::Stage;

/// Why a member could not be taken.
#[derive(Debug)]
pub struct Refused {
    /// Its number, when one is to blame.
    pub member: Option<usize>,
    /// Why.
    pub reason: String,
}

/// Runs in a child of the helper, to its end. `fds`: the exec channel, the stream.
pub fn run(helper: &Helper, unpack: &Unpack, fds: Vec<OwnedFd>) {
    let Ok([channel, stream]) = <[OwnedFd; 2]>::try_from(fds) else { return };
    let owner = Owner::new(unpack.root, helper.ids());
    let message = match take(unpack, owner, &channel, stream) {
        Ok(()) => FromExec::Done,
        Err(refused) => FromExec::failed(refused.member, &refused.reason),
    };
    let _ = send_packet(channel.as_fd(), &message, &[]);
}

/// Who the result belongs to, as a number of the helper's user namespace. Where only one id is mapped everything is its.
#[derive(Debug, Clone, Copy)]
pub struct Owner(Option<u32>);

impl Owner {
    fn new(root: bool, ids: crate::wire::Ids) -> Self {
        match ids {
            crate::wire::Ids::Mapped => Self(Some(if root { 0 } else { 1000 })),
            crate::wire::Ids::Single { .. } => Self(None),
        }
    }

    /// Whatever is made from now on is the owner's from its first moment: nothing needs to be handed over.
    fn assume(self) -> io::Result<()> {
        self.0.map_or(Ok(()), sys::create_as)
    }
}

fn take(unpack: &Unpack, owner: Owner, channel: &OwnedFd, stream: OwnedFd) -> Result<(), Refused> {
    rustix::process::umask(rustix::fs::Mode::empty());
    let whole = |error: io::Error| Refused { member: None, reason: error.to_string() };
    let mut stages = Vec::with_capacity(unpack.into.len());
    for (number, path) in unpack.into.iter().enumerate() {
        let path = PathBuf::from(OsStr::from_bytes(path));
        let staged = Stage::beside(&path, number, stages.last());
        stages.push(staged.map_err(|error| Refused { member: Some(number), reason: error.to_string() })?);
    }
    // Its folders are made, closed to the owner by belonging to the helper.
    let mut stream = std::fs::File::from(stream);
    let unpacked = owner.assume().map_err(whole).and_then(|()| entries::unpack(&mut stream, &stages));
    let outcome = unpacked.and_then(|()| {
        io::copy(&mut stream.by_ref(), &mut io::sink()).map_err(whole)?;
        match receive_packet::<ToExec>(channel.as_fd()).map_err(whole)? {
            Some((ToExec::Commit, _)) => place::commit(&stages),
            // The source broke off, or the session died: nothing of it stays.
            Some((ToExec::Signal(_) | ToExec::Resize(..) | ToExec::KillTree, _)) | None => {
                Err(Refused { member: None, reason: "the copy was broken off".to_owned() })
            }
        }
    });
    for stage in &stages {
        stage.clear();
    }
    outcome
}
