//! Copying into a bottle, from the session's side: read the host, write one tar stream, then say that it was complete.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

use bottle::tree::{Census, TreeError};
use bottle::{BottleName, CopyError, GuestPath, Tree, User};
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};

use super::channel::Channel;
use crate::wire::{FromExec, ToExec, Unpack};

/// Room in the pipe: fewer switches between the two sides (`pipe(7)`, the default limit for everybody).
const ROOM: usize = 1 << 20;

/// Copies a tree. `request` hands the receiving end of the stream to the helper.
pub async fn run(
    name: &BottleName,
    source: &Tree,
    into: &GuestPath,
    owner: User,
    request: impl Fn(Unpack, &OwnedFd) -> io::Result<Option<Channel>>,
    gone: impl Fn() -> CopyError,
) -> Result<(), CopyError> {
    let broken = |source: io::Error| CopyError::Io { bottle: name.to_string(), source };
    let refused = |path: &GuestPath, reason: String| CopyError::Guest {
        bottle: name.to_string(),
        direction: "to",
        path: path.clone(),
        reason,
    };
    let places: Result<Vec<_>, _> = source.members().iter().map(|member| into.join(member.at.as_path())).collect();
    let places = places.map_err(|error| refused(into, error.to_string()))?;
    let unpack = Unpack {
        into: places.iter().map(|place| place.as_path().as_os_str().as_bytes().to_vec()).collect(),
        root: owner == User::Root,
    };
    let (theirs, stream) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| broken(error.into()))?;
    // Above the person's share of pipe memory a smaller pipe does as well.
    let _ = fcntl_setpipe_size(&stream, ROOM);
    let channel = request(unpack, &theirs).map_err(broken)?.ok_or_else(&gone)?;
    drop(theirs);
    let tree = source.clone();
    let packed = tokio::task::spawn_blocking(move || tree.pack(&mut File::from(stream))).await;
    let packed: Result<Census, TreeError> = packed.map_err(|error| broken(io::Error::other(error)))?;
    // Without this word the receiver throws away what it has.
    let verdict = if packed.is_ok() { ToExec::Commit } else { ToExec::KillTree };
    let _ = channel.send(&verdict);
    let answer = channel.receive().await.map_err(broken)?;
    match (packed, answer) {
        (Ok(_), Some((FromExec::Done, _))) => Ok(()),
        (Err(source), _) if !matches!(source, TreeError::Stream(_)) => {
            Err(CopyError::Source { bottle: name.to_string(), source })
        }
        (Ok(_) | Err(_), Some((FromExec::Failed { member, reason }, _))) => {
            let place = member.and_then(|number| places.get(number as usize)).unwrap_or(into);
            Err(refused(place, reason))
        }
        (Ok(_) | Err(_), _) => Err(gone()),
    }
}
