//! Tools of root's, lent to `node`.
//!
//! Where the session is root's, no id of the bottle is the host's root: what root alone may read in a tool's folder (umask 077)
//! would be closed to the agent, and to the overlay that shows it. In a mount of the folder with its ids mapped, root's files
//! are node's (`mount_setattr(2)`, "ID-mapped mounts"); the files themselves stay as they are. Only the host's root can make one,
//! before it has entered the bottle's user namespace.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::OFlags;

use super::{mounts, namespaces};
use crate::ids::IdPlan;
use crate::{check, host_file, sys};
use helper::wire::{HostFile, Setup};

/// Overlays take such a mount for their lower folder since then.
const OLDEST: (u32, u32) = (5, 19);

/// What became of lending a tool.
pub enum Loan {
    /// The session is not root's: `node` is the person to the kernel.
    NotNeeded,
    /// A mount of it, attached nowhere yet.
    Made(OwnedFd),
    /// The kernel or the tool's file system has no such mounts: what everybody may read is shown all the same.
    Impossible,
}

/// Lends each tool of the set-up.
pub fn tools(setup: &Setup) -> Vec<Loan> {
    let possible = !setup.tools.is_empty() && check::kernel_is_at_least(OLDEST);
    let node = if possible { IdPlan::Root.host_id(&setup.name, false) } else { None };
    let namespace = node.and_then(|node| namespaces::lending(node).ok());
    let lend = |tool: &HostFile| {
        // What is wrong with the place itself is told when it is opened.
        let found = host_file::open(tool, OFlags::PATH).ok()?;
        let mount = mounts::detached_from(&found).ok()?;
        sys::mount_lend(mount.as_fd(), namespace.as_ref()?.as_fd()).ok()?;
        Some(mount)
    };
    setup.tools.iter().map(|tool| lend(tool).map_or(Loan::Impossible, Loan::Made)).collect()
}
