//! The system call filter (`seccomp(2)`): at least as strict as Docker's default for a container without capabilities.
//!
//! What it refuses fails with `EPERM`; a program for another architecture is killed (32-bit entry points have been the
//! weaker side of the kernel).

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
    apply_filter, sock_filter,
};

use crate::syscalls;
use crate::wire::Ids;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// The compiled filter, in two parts.
///
/// The kernel looks at every system call of a new filter once to speed up the harmless ones, which takes about a
/// millisecond for the long list, and translates it to machine code. So PID 1 installs both parts on itself when it is ready,
/// which confines it too, and each program inherits them. Only where PID 1 needs a call for its programs that they may not have,
/// each program installs the second part, of a few instructions, itself.
pub struct Filter {
    list: BpfProgram,
    program: BpfProgram,
    ids: Ids,
}

impl Filter {
    /// Compiles all parts. Where only one id is mapped, programs enter node's user namespace before they begin (`setns(2)`).
    pub fn compile(ids: Ids) -> io::Result<Self> {
        let refuse = || SeccompAction::Errno(libc::EPERM.unsigned_abs());
        let list = program(listed(ids).map_err(io::Error::other)?, refuse(), SeccompAction::Allow)?;
        Ok(Self { list, program: of_a_program(), ids })
    }

    /// Confines PID 1, and with it everything it starts from now on.
    pub fn confine_helper(&self) -> io::Result<()> {
        apply_filter(&self.list).map_err(io::Error::other)?;
        match self.ids {
            Ids::Mapped => apply_filter(&self.program).map_err(io::Error::other),
            Ids::Single { .. } => Ok(()),
        }
    }

    /// Confines a program: takes what PID 1 alone may do. Inherited like the list, and as final.
    pub fn confine_program(&self) -> io::Result<()> {
        match self.ids {
            Ids::Mapped => Ok(()),
            Ids::Single { .. } => apply_filter(&self.program).map_err(io::Error::other),
        }
    }
}

/// What programs have less than the helper, by hand (`seccomp(2)`, "Filters"), because two answers are needed and a range:
/// - setns: EPERM;
/// - clone3: ENOSYS. Its flags lie in memory, where a filter cannot look; the C library falls back to clone.
/// - calls younger than the list: ENOSYS, as from a kernel that does not have them, so that libraries fall back too. When two
///   filters refuse, the younger one's answer counts.
fn of_a_program() -> BpfProgram {
    use libc::{BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W};
    /// Offset of the call's number in `struct seccomp_data`. The architecture was checked by the list.
    const NUMBER: u32 = 0;
    /// Where the x32 calls begin, which the list refuses (`__X32_SYSCALL_BIT`).
    const X32: u32 = 0x4000_0000;
    let instruction = |code: u32, jt: u8, jf: u8, k: u32| sock_filter { code: u16::try_from(code).unwrap_or(0), jt, jf, k };
    let number = |call: libc::c_long| u32::try_from(call).unwrap_or(u32::MAX);
    let errno = |errno: libc::c_int| libc::SECCOMP_RET_ERRNO | errno.unsigned_abs();
    vec![
        instruction(BPF_LD | BPF_W | BPF_ABS, 0, 0, NUMBER),
        instruction(BPF_JMP | BPF_JEQ | BPF_K, 4, 0, number(libc::SYS_setns)),
        instruction(BPF_JMP | BPF_JEQ | BPF_K, 4, 0, number(libc::SYS_clone3)),
        instruction(BPF_JMP | BPF_JGE | BPF_K, 1, 0, X32),
        instruction(BPF_JMP | BPF_JGE | BPF_K, 2, 0, number(syscalls::YOUNGEST) + 1),
        instruction(BPF_RET | BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
        instruction(BPF_RET | BPF_K, 0, 0, errno(libc::EPERM)),
        instruction(BPF_RET | BPF_K, 0, 0, errno(libc::ENOSYS)),
    ]
}

fn program(rules: Rules, otherwise: SeccompAction, matched: SeccompAction) -> io::Result<BpfProgram> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    let filter = SeccompFilter::new(rules, otherwise, matched, arch).map_err(io::Error::other)?;
    BpfProgram::try_from(filter).map_err(io::Error::other)
}

/// The numbers of all calls that a program may make with some arguments. For the test that compares them with Docker's.
pub fn let_through() -> io::Result<Vec<i64>> {
    let listed = listed(Ids::Mapped).map_err(io::Error::other)?;
    Ok(listed.into_keys().filter(|call| ![libc::SYS_setns, libc::SYS_clone3].contains(call)).collect())
}

fn listed(ids: Ids) -> Result<Rules, seccompiler::BackendError> {
    let mut rules = Rules::new();
    let lists = [syscalls::EVERYWHERE, syscalls::OF_THIS_ARCHITECTURE, syscalls::YOUNG];
    for call in lists.into_iter().flatten() {
        rules.insert(*call, Vec::new());
    }
    // Both pass the list and meet the second filter: clone3 so that the answer can be ENOSYS, setns because PID 1 may enter node's
    // user namespace with it.
    rules.insert(libc::SYS_clone3, Vec::new());
    rules.insert(libc::SYS_setns, Vec::new());
    rules.insert(libc::SYS_clone, vec![all([masked(0, NEW_NAMESPACES, 0)?])?]);
    rules.insert(
        libc::SYS_ioctl,
        vec![all([not_dword(1, libc::TIOCSTI)?, not_dword(1, libc::TIOCLINUX)?, not_dword(1, TIOCSETD)?])?],
    );
    // A lease makes the host wait with writing to its own file, a note tells when it does: neither for files that are the host's.
    rules.insert(libc::SYS_fcntl, vec![all([not_dword(1, F_SETLEASE)?, not_dword(1, F_NOTIFY)?])?]);
    rules
        .insert(libc::SYS_personality, PERSONALITIES.into_iter().map(|value| all([dword(0, value)?])).collect::<Result<_, _>>()?);
    match ids {
        Ids::Mapped => {}
        // The helper's processes have the programs' id: no descriptor or no memory would be left to them, by anybody's leave.
        // A program still sets its own limits (process 0) and reads anybody's (`prlimit(2)`).
        Ids::Single { .. } => {
            rules.insert(libc::SYS_prlimit64, vec![all([dword(0, 0)?])?, all([nothing(2)?])?]);
        }
    }
    rules.insert(libc::SYS_socket, sockets(SOCKETS)?);
    rules.insert(libc::SYS_socketpair, sockets(&SOCKETS[..1])?);
    Ok(rules)
}

/// Another line discipline on one's own terminal: the kernel loads its module for anybody who asks, and most have had holes
/// (n_gsm, CVE-2023-6546; n_hdlc, CVE-2017-2636). libc does not name it everywhere.
const TIOCSETD: libc::c_ulong = 0x5423;

/// `fcntl(2)`, "Leases" and "File and directory change notification".
const F_SETLEASE: libc::c_ulong = 1024;
const F_NOTIFY: libc::c_ulong = 1026;

/// New namespaces hand out capabilities inside them: none is made below the bottle's own.
pub const NEW_NAMESPACES: u64 = 0x7E02_0000;
/// PER_LINUX, PER_LINUX32, UNAME26, both, and asking (`personality(2)`); anything else, READ_IMPLIES_EXEC for instance,
/// undoes protections.
pub const PERSONALITIES: [u64; 5] = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// A kind of socket that may be made: family, types and protocols (all when empty).
type Kind = (libc::c_int, &'static [libc::c_int], &'static [libc::c_int]);

/// Everything else is refused: packet and vsock sockets, Bluetooth, CAN, `AF_ALG`, SCTP, DCCP, raw and ICMP sockets, and all
/// of netlink but the routing tables, which the C library reads to list interfaces. The type matters too: protocol 0 of
/// `SOCK_SEQPACKET` is SCTP and of `SOCK_DCCP` is DCCP, whose module the kernel loads for anybody.
const SOCKETS: &[Kind] = &[
    (libc::AF_UNIX, &[], &[]),
    (libc::AF_INET, &[libc::SOCK_STREAM, libc::SOCK_DGRAM], &[0, libc::IPPROTO_TCP, libc::IPPROTO_UDP]),
    (libc::AF_INET6, &[libc::SOCK_STREAM, libc::SOCK_DGRAM], &[0, libc::IPPROTO_TCP, libc::IPPROTO_UDP]),
    (libc::AF_NETLINK, &[libc::SOCK_RAW, libc::SOCK_DGRAM], &[libc::NETLINK_ROUTE]),
];
/// The part of a socket's type that is no flag (`SOCK_TYPE_MASK`, include/linux/net.h).
const SOCKET_TYPE: u64 = 0xf;

fn sockets(kinds: &[Kind]) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let mut rules = Vec::new();
    for (family, types, protocols) in kinds {
        let family = dword(0, u64::from(family.unsigned_abs()))?;
        if types.is_empty() {
            rules.push(all([family.clone()])?);
        }
        for (kind, protocol) in types.iter().flat_map(|kind| protocols.iter().map(move |protocol| (kind, protocol))) {
            let kind = SeccompCondition::new(
                1,
                SeccompCmpArgLen::Dword,
                SeccompCmpOp::MaskedEq(SOCKET_TYPE),
                u64::from(kind.unsigned_abs()),
            )?;
            rules.push(all([family.clone(), kind, dword(2, u64::from(protocol.unsigned_abs()))?])?);
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
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value)
}

fn nothing(argument: u8) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)
}

fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(mask), value)
}
