//! Giving up power, for the helper itself and for everything it runs (`capabilities(7)`).

use rustix::process::{DumpableBehavior, Gid, Resource, Rlimit, Uid, set_dumpable_behavior, setrlimit};
use rustix::thread::{
    CapabilitiesSecureBits, CapabilitySet, CapabilitySets, LinkNameSpaceType, capability_is_in_bounding_set,
    clear_ambient_capability_set, move_into_link_name_space, remove_capability_from_bounding_set, set_capabilities,
    set_capabilities_secure_bits, set_keep_capabilities, set_no_new_privs, set_thread_groups, set_thread_res_gid,
    set_thread_res_uid,
};

use crate::step::{During, StepError};
use crate::wire::Ids;
use std::os::fd::{AsFd, OwnedFd};

/// What the helper needs to serve: to change user, own and read files while copying, and kill.
const SERVICE: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETPCAP);

/// The helper's own id inside the bottle.
pub const HELPER: u32 = 65_000;
/// The relay's, where it runs inside the bottle.
const RELAY: u32 = 65_001;

/// Drops what the helper needed only to build, and promises that no program can ever gain privileges by being executed
/// (`PR_SET_NO_NEW_PRIVS`): setuid and file capabilities are dead from here on.
pub fn keep_for_service(ids: Ids) -> Result<(), StepError> {
    set_no_new_privs(true).during("setting no_new_privs")?;
    let needed = match ids {
        Ids::Mapped => SERVICE,
        // To enter `node`'s user namespace, below the helper's own.
        Ids::Single { .. } => SERVICE.union(CapabilitySet::SYS_ADMIN),
    };
    let kept = CapabilitySets { effective: needed, permitted: needed, inheritable: CapabilitySet::empty() };
    clear_bounding().during("emptying the capability bounding set")?;
    match ids {
        Ids::Mapped => {
            // An id that no program of the bottle has: without capabilities neither node nor the bottle's root can then
            // signal the helper's processes.
            let (uid, gid) = (Uid::from_raw(HELPER), Gid::from_raw(HELPER));
            set_keep_capabilities(true).during("keeping capabilities")?;
            set_thread_groups(&[]).during("dropping groups")?;
            set_thread_res_gid(gid, gid, gid).during("becoming the helper's group")?;
            set_thread_res_uid(uid, uid, uid).during("becoming the helper's user")?;
        }
        Ids::Single { .. } => {}
    }
    set_capabilities(None, kept).during("dropping capabilities")?;
    // No core of a program that holds secrets is ever written. A limit of 0 stops files alone: where core_pattern names a
    // program, the host's root would run that on a hostile core. Exactly 1 stops both (`do_coredump`, fs/coredump.c).
    setrlimit(Resource::Core, Rlimit { current: Some(1), maximum: Some(1) }).during("forbidding core dumps")
}

/// Becomes the bridge of a bottle.
pub fn become_bridge() -> Result<(), StepError> {
    become_nobody_else(HELPER)
}

/// Becomes the relay that runs inside a bottle.
pub fn become_relay() -> Result<(), StepError> {
    become_nobody_else(RELAY)
}

/// An id that nobody else has, and no power at all.
fn become_nobody_else(id: u32) -> Result<(), StepError> {
    set_no_new_privs(true).during("setting no_new_privs")?;
    clear_bounding().during("emptying the capability bounding set")?;
    let (uid, gid) = (Uid::from_raw(id), Gid::from_raw(id));
    set_thread_groups(&[]).during("dropping groups")?;
    set_thread_res_gid(gid, gid, gid).during("becoming another group")?;
    set_thread_res_uid(uid, uid, uid).during("becoming another user")?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
        .during("dropping capabilities")?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).during("closing a process of the helper to tracing")
}

/// Becomes the user that a program runs as, with no capability at all. Not async-signal-safe code is fine: the helper has
/// one thread.
pub fn become_user(root: bool, ids: Ids, node: Option<&OwnedFd>) -> rustix::io::Result<()> {
    match ids {
        Ids::Mapped => {
            let id = if root { 0 } else { 1000 };
            let (uid, gid) = (Uid::from_raw(id), Gid::from_raw(id));
            // Securebits first: they keep root from getting capabilities back by execve.
            lock_root_powers()?;
            set_thread_groups(&[gid])?;
            set_thread_res_gid(gid, gid, gid)?;
            set_thread_res_uid(uid, uid, uid)?;
        }
        Ids::Single { .. } => {
            if let (false, Some(node)) = (root, node) {
                move_into_link_name_space(node.as_fd(), Some(LinkNameSpaceType::User))?;
            }
            lock_root_powers()?;
            // Entering a user namespace gives a full bounding set.
            clear_bounding()?;
        }
    }
    clear_ambient()?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    // Changing user may have opened the process to tracing (fs.suid_dumpable); it still is the helper's program.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

fn lock_root_powers() -> rustix::io::Result<()> {
    let locked = set_capabilities_secure_bits(
        CapabilitiesSecureBits::NO_ROOT
            | CapabilitiesSecureBits::NO_ROOT_LOCKED
            | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE
            | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE_LOCKED,
    );
    match locked {
        // gVisor has no such bits. Where the bounding set is empty root gets nothing back either (`capabilities(7)`,
        // "Transformation of capabilities during execve()").
        Err(rustix::io::Errno::INVAL) if bounding_is_empty() => Ok(()),
        locked => locked,
    }
}

fn bounding_is_empty() -> bool {
    let mut known = (0..64).map_while(|number| capability_is_in_bounding_set(CapabilitySet::from_bits_retain(1 << number)).ok());
    known.all(|is_in| !is_in)
}

/// Empties the ambient set; a kernel that has none (gVisor) needs no emptying.
fn clear_ambient() -> rustix::io::Result<()> {
    match clear_ambient_capability_set() {
        Err(rustix::io::Errno::INVAL) => Ok(()),
        cleared => cleared,
    }
}

fn clear_bounding() -> rustix::io::Result<()> {
    for number in 0..64 {
        match remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number)) {
            Ok(()) => {}
            // Past the last capability that this kernel knows.
            Err(rustix::io::Errno::INVAL) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
