//! Executing the helper once more, from a read-only mount, so that its file cannot be written from the bottle (CVE-2019-5736).
//!
//! In the moment before a program replaces it, each process of the bottle still runs the helper's file, and
//! `/proc/self/exe`, which is always open to oneself, leads to it: an agent can make that the target of a link, the
//! interpreter of a script or the loader of a program, and has the helper's file run *as* its program. That file is the
//! person's, and where `node` is the person to the host's kernel, `node` could open it to all or write to it. Landlock
//! forbids it, but not every kernel has that; what stays read-only is the mount through which the file was executed.

use std::ffi::{CString, OsStr};
use std::fs;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{fstat, stat};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, configure_capability_in_ambient_set, set_capabilities};

use super::HELPER;
use super::mounts::{self, NO_DEV, NO_SUID, READ_ONLY};
use crate::sys;
use helper::step::{During, StepError};

/// The argument that tells the helper that it runs from there.
pub const INSIDE: &str = "inside";

/// Executes this program from a read-only copy of its mount, as whoever this process is and with all its capabilities, in the
/// namespaces that it has made. Returns only on failure.
pub fn from_read_only_mount() -> Result<(), StepError> {
    let path = fs::read_link("/proc/self/exe").during("finding the helper's file")?;
    let mount = mounts::detached(&path)?;
    let (there, running) =
        (fstat(&mount).during("looking at the helper's file")?, stat("/proc/self/exe").during("looking at itself")?);
    if (there.st_dev, there.st_ino) != (running.st_dev, running.st_ino) {
        let reason = format!("{} was replaced while it ran; start it again", path.display());
        return Err(StepError { step: "executing the helper once more".into(), errno: 0, reason });
    }
    sys::mount_set_attributes(mount.as_fd(), READ_ONLY | NO_SUID | NO_DEV).during("making the helper's file read-only")?;
    keep_capabilities()?;
    let argv = [HELPER, INSIDE].map(|word| CString::new(OsStr::new(word).as_bytes()).unwrap_or_default());
    Err(sys::execve_descriptor(mount.as_fd(), &argv)).during("executing the helper once more")
}

/// A process that is not its namespace's root loses its capabilities by execve, but for ambient ones (`capabilities(7)`).
fn keep_capabilities() -> Result<(), StepError> {
    let own = capabilities(None).during("looking at its capabilities")?;
    let kept = CapabilitySets { inheritable: own.permitted, ..own };
    set_capabilities(None, kept).during("keeping its capabilities")?;
    for number in 0..64 {
        let one = CapabilitySet::from_bits_retain(1 << number);
        if own.permitted.contains(one) {
            configure_capability_in_ambient_set(one, true).during("keeping its capabilities")?;
        }
    }
    Ok(())
}
