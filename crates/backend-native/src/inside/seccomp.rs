//! The system call filter (`seccomp(2)`): at least as strict as Docker's default for a container without capabilities.
//!
//! What it refuses fails with `EPERM`; a program for another architecture is killed (32-bit entry points have been the
//! weaker side of the kernel).

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

use super::syscalls;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// The compiled filter, in two parts.
///
/// The kernel looks at every system call of a new filter once to speed up the harmless ones, which takes about a
/// millisecond for the long list. So PID 1 installs the list on itself when it is ready, which confines it too, and each
/// program inherits it; what PID 1 still needs is taken from the program itself by two filters of a few instructions.
pub struct Filter {
    list: BpfProgram,
    of_the_helper: BpfProgram,
    absent: BpfProgram,
}

impl Filter {
    /// Compiles all parts.
    pub fn compile() -> io::Result<Self> {
        let refuse = || SeccompAction::Errno(libc::EPERM.unsigned_abs());
        let only = |call: libc::c_long| Rules::from([(call, Vec::new())]);
        Ok(Self {
            list: program(listed().map_err(io::Error::other)?, refuse(), SeccompAction::Allow)?,
            of_the_helper: program(only(libc::SYS_setns), SeccompAction::Allow, refuse())?,
            // Flags of clone3 lie in memory, where a filter cannot look. The C library falls back to clone on ENOSYS.
            absent: program(only(libc::SYS_clone3), SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS.unsigned_abs()))?,
        })
    }

    /// Confines PID 1, and with it everything it starts from now on.
    pub fn confine_helper(&self) -> io::Result<()> {
        apply_filter(&self.list).map_err(io::Error::other)
    }

    /// Confines a program: takes what PID 1 alone may do. Inherited like the list, and as final.
    pub fn confine_program(&self) -> io::Result<()> {
        apply_filter(&self.of_the_helper).map_err(io::Error::other)?;
        apply_filter(&self.absent).map_err(io::Error::other)
    }
}

fn program(rules: Rules, otherwise: SeccompAction, matched: SeccompAction) -> io::Result<BpfProgram> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    let filter = SeccompFilter::new(rules, otherwise, matched, arch).map_err(io::Error::other)?;
    BpfProgram::try_from(filter).map_err(io::Error::other)
}

fn listed() -> Result<Rules, seccompiler::BackendError> {
    let mut rules = Rules::new();
    let lists = [syscalls::EVERYWHERE, syscalls::OF_THIS_ARCHITECTURE, syscalls::YOUNG];
    for call in lists.into_iter().flatten() {
        rules.insert(*call, Vec::new());
    }
    // Both pass the list and meet a filter of their own in each program (`Filter::confine_program`): clone3 so that the
    // answer can be ENOSYS, setns because PID 1 enters node's user namespace with it.
    rules.insert(libc::SYS_clone3, Vec::new());
    rules.insert(libc::SYS_setns, Vec::new());
    rules.insert(libc::SYS_clone, vec![all([masked(0, NEW_NAMESPACES, 0)?])?]);
    rules.insert(libc::SYS_ioctl, vec![all([not_dword(1, libc::TIOCSTI)?, not_dword(1, libc::TIOCLINUX)?])?]);
    rules.insert(libc::SYS_personality, PERSONALITIES.into_iter().map(|value| all([dword(0, value)?])).collect::<Result<_, _>>()?);
    rules.insert(libc::SYS_socket, sockets(SOCKETS)?);
    rules.insert(libc::SYS_socketpair, sockets(&SOCKETS[..1])?);
    Ok(rules)
}

/// New namespaces hand out capabilities inside them: none is made below the bottle's own.
const NEW_NAMESPACES: u64 = 0x7E02_0000;
/// PER_LINUX, PER_LINUX32, UNAME26, both, and asking (`personality(2)`); anything else, READ_IMPLIES_EXEC for instance,
/// undoes protections. Address randomisation can be switched off too, which debuggers need.
const PERSONALITIES: [u64; 6] = [0x0, 0x8, 0x2_0000, 0x2_0008, 0x4_0000, 0xffff_ffff];

/// A kind of socket that may be made: family, and the protocols (all when empty).
type Kind = (libc::c_int, &'static [libc::c_int]);

/// Everything else is refused: packet and vsock sockets, Bluetooth, CAN, `AF_ALG`, SCTP, DCCP, raw and ICMP sockets, and all
/// of netlink but the routing tables, which the C library reads to list interfaces.
const SOCKETS: &[Kind] = &[
    (libc::AF_UNIX, &[]),
    (libc::AF_INET, &[0, libc::IPPROTO_TCP, libc::IPPROTO_UDP]),
    (libc::AF_INET6, &[0, libc::IPPROTO_TCP, libc::IPPROTO_UDP]),
    (libc::AF_NETLINK, &[libc::NETLINK_ROUTE]),
];

fn sockets(kinds: &[Kind]) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let mut rules = Vec::new();
    for (family, protocols) in kinds {
        let family = dword(0, u64::from(family.unsigned_abs()))?;
        if protocols.is_empty() {
            rules.push(all([family.clone()])?);
        }
        for protocol in *protocols {
            rules.push(all([family.clone(), dword(2, u64::from(protocol.unsigned_abs()))?])?);
        }
    }
    Ok(rules)
}

fn all<const N: usize>(conditions: [SeccompCondition; N]) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(conditions.into())
}

/// The kernel takes these arguments as 32 bits: comparing 64 would let a caller hide behind the upper half
/// (CVE-2019-10063, flatpak).
fn dword(argument: u8, value: u64) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

fn not_dword(argument: u8, value: libc::c_ulong) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, u64::from(value))
}

fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(mask), value)
}
