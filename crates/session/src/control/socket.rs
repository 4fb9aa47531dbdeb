use std::io;
use std::os::fd::{AsFd, AsRawFd as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;

use rustix::fs::{AtFlags, Mode};

const NAME: &str = "control.sock";

/// The socket's path through the open folder: it is short whatever the folder's own path is (107 bytes is the most,
/// `unix(7)`), and no link can redirect it.
fn path(folder: impl AsFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/{NAME}", folder.as_fd().as_raw_fd()))
}

pub(super) fn bind(folder: impl AsFd) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path(&folder))?;
    rustix::fs::chmodat(&folder, NAME, Mode::RUSR | Mode::WUSR, AtFlags::empty())?;
    Ok(listener)
}

pub(super) fn connect(folder: impl AsFd) -> io::Result<UnixStream> {
    UnixStream::connect(path(folder))
}

/// Whether the process at the other end belongs to our user, or to root, which could do anything anyway.
pub(super) fn is_ours(peer: impl AsFd) -> bool {
    rustix::net::sockopt::socket_peercred(peer).is_ok_and(|peer| peer.uid == rustix::process::geteuid() || peer.uid.is_root())
}
