//! A machine's process on the host, and its state as smolvm tells it.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use helper::session::Life;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::Deserialize;

/// Label: the bottle's name.
pub const BOTTLE: &str = "bot-bottle.bottle";
/// Label: the lock that its session holds, a path on the host.
pub const LOCK: &str = "bot-bottle.lock";

/// A machine, in smolvm's list.
#[derive(Debug, Deserialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Who made it and for what.
    #[serde(default)]
    pub labels: HashMap<String, String>,
    /// Its process, while it runs.
    pub pid: Option<i32>,
}

/// The name of a bottle's machine.
pub fn name(bottle: &str) -> String {
    format!("bot-bottle-{bottle}")
}

/// The life of a machine is its process's. There is nothing in it that wants to be written before it ends.
///
/// # Errors
/// When the process is gone.
pub fn life(process: Pid) -> io::Result<Life> {
    let over = pidfd_open(process, PidfdFlags::NONBLOCK)?;
    Life::new(over, |over: &OwnedFd| {
        let _ = pidfd_send_signal(over.as_fd(), Signal::KILL);
    })
}
