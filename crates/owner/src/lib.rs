//! Whose a file or folder of the host is: what somebody else could have written is not obeyed.

#![forbid(unsafe_code)]

use rustix::fs::Stat;
use rustix::process::{getegid, geteuid};

/// Whose files are obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trusted {
    /// The person's alone.
    Me,
    /// The person's and root's, who could do everything anyway: a file that a package or a home manager has put there.
    MeOrRoot,
}

/// Why a file or folder is not obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOurs {
    /// It belongs to somebody else.
    #[error("it belongs to user {owner}, and you are user {me}")]
    Foreign {
        /// Whose it is.
        owner: u32,
        /// Who asks.
        me: u32,
    },
    /// Everybody may put things there (the sticky bit, `chmod(1)`): it is meant to be so, and must not be closed to others.
    #[error("it is shared by everybody (mode {mode:04o})")]
    Shared {
        /// Its permissions.
        mode: u32,
    },
    /// Others can write to it.
    #[error("it can be written by others (mode {mode:04o})")]
    Open {
        /// Its permissions.
        mode: u32,
    },
}

/// Looks whether what an open file or folder says is `trusted`'s word alone.
///
/// A group of the person's own (same number, as adduser makes them) has nobody else in it; with it goes a umask of 002.
/// Write permissions that an access control list gives are seen in the group's bits (`acl(5)`, "ACL_MASK").
///
/// # Errors
/// Whose word it could be instead.
pub fn check(stat: &Stat, trusted: Trusted) -> Result<(), NotOurs> {
    let (owner, me, mode) = (stat.st_uid, geteuid().as_raw(), stat.st_mode & 0o7777);
    if mode & 0o1002 == 0o1002 {
        return Err(NotOurs::Shared { mode });
    }
    let is_trusted = owner == me || (owner == 0 && trusted == Trusted::MeOrRoot);
    if !is_trusted {
        return Err(NotOurs::Foreign { owner, me });
    }
    let own_group = me != 0 && stat.st_gid == me && getegid().as_raw() == me;
    let closed_to = if own_group { 0o002 } else { 0o022 };
    if mode & closed_to != 0 {
        return Err(NotOurs::Open { mode });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use rustix::process::geteuid;

    use super::{NotOurs, Trusted, check};

    #[test]
    fn what_others_can_write_is_not_ours() {
        let file = tempfile::tempfile().unwrap();
        for (mode, ours) in [(0o600, true), (0o755, true), (0o602, false), (0o777, false), (0o1755, true), (0o622, false)] {
            file.set_permissions(Permissions::from_mode(mode)).unwrap();
            let checked = check(&rustix::fs::fstat(&file).unwrap(), Trusted::Me);
            assert_eq!(checked, if ours { Ok(()) } else { Err(NotOurs::Open { mode }) }, "{mode:o}");
        }
    }

    /// `/tmp` is somebody else's to most people, and nobody's to close or to take.
    #[test]
    fn what_everybody_shares_is_told_apart() {
        let file = tempfile::tempfile().unwrap();
        file.set_permissions(Permissions::from_mode(0o1777)).unwrap();
        let mut stat = rustix::fs::fstat(&file).unwrap();
        assert_eq!(check(&stat, Trusted::Me), Err(NotOurs::Shared { mode: 0o1777 }));
        stat.st_uid += 1;
        assert_eq!(check(&stat, Trusted::Me), Err(NotOurs::Shared { mode: 0o1777 }));
    }

    #[test]
    fn what_is_roots_is_obeyed_where_it_is_trusted() {
        let me = geteuid().as_raw();
        let roots = rustix::fs::stat("/usr").unwrap();
        assert_eq!(check(&roots, Trusted::MeOrRoot), Ok(()));
        let alone = if me == 0 { Ok(()) } else { Err(NotOurs::Foreign { owner: 0, me }) };
        assert_eq!(check(&roots, Trusted::Me), alone);
    }

    #[test]
    fn a_group_of_ones_own_may_write() {
        let file = tempfile::tempfile().unwrap();
        file.set_permissions(Permissions::from_mode(0o664)).unwrap();
        let mut stat = rustix::fs::fstat(&file).unwrap();
        let (me, group) = (geteuid().as_raw(), rustix::process::getegid().as_raw());
        let own = me != 0 && me == group;
        stat.st_gid = me;
        assert_eq!(check(&stat, Trusted::Me).is_ok(), own);
        stat.st_gid = me + 1;
        assert_eq!(check(&stat, Trusted::Me), Err(NotOurs::Open { mode: 0o664 }));
    }
}
