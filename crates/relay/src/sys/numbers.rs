//! Numbers of system calls, for the two architectures that the project runs on (`arch/x86/entry/syscalls/syscall_64.tbl`,
//! `include/uapi/asm-generic/unistd.h`).

use std::ffi::c_long;

#[cfg(target_arch = "x86_64")]
mod of_this_architecture {
    use super::c_long;

    pub const SYS_CAPSET: c_long = 126;
    pub const SYS_SECCOMP: c_long = 317;
    pub const SYS_SOCKET: u32 = 41;
    /// AUDIT_ARCH_X86_64
    pub const THIS_ARCHITECTURE: u32 = 0xC000_003E;
    /// epoll_create1, ioctl (FIONBIO), splice, epoll_wait, epoll_pwait, epoll_ctl, accept4, connect, read, write, writev, close, pipe2, fcntl, shutdown, getsockname,
    /// getpeername, setsockopt, recvfrom, sendto, recvmsg, sendmsg, brk, mmap, munmap, mremap, madvise, mprotect, futex,
    /// sigaltstack, rt_sigreturn, rt_sigprocmask, restart_syscall, clock_gettime, getrandom, exit, exit_group
    #[rustfmt::skip]
    pub const CALLS: &[u32] = &[
        291, 16, 275, 232, 281, 233, 288, 42, 0, 1, 20, 3, 293, 72, 48, 51,
        52, 54, 45, 44, 47, 46, 12, 9, 11, 25, 28, 10, 202,
        131, 15, 14, 219, 228, 318, 60, 231,
    ];
}

#[cfg(target_arch = "aarch64")]
mod of_this_architecture {
    use super::c_long;

    pub const SYS_CAPSET: c_long = 91;
    pub const SYS_SECCOMP: c_long = 277;
    pub const SYS_SOCKET: u32 = 198;
    /// AUDIT_ARCH_AARCH64
    pub const THIS_ARCHITECTURE: u32 = 0xC000_00B7;
    /// As on x86-64, without epoll_wait, which there is not.
    #[rustfmt::skip]
    pub const CALLS: &[u32] = &[
        20, 29, 76, 22, 21, 242, 203, 63, 64, 66, 57, 59, 25, 210, 204,
        205, 208, 207, 206, 212, 211, 214, 222, 215, 216, 233, 226, 98,
        132, 139, 135, 128, 113, 278, 93, 94,
    ];
}

pub use of_this_architecture::{CALLS, SYS_CAPSET, SYS_SECCOMP, SYS_SOCKET, THIS_ARCHITECTURE};
