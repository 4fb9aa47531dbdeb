//! The system calls behind most local exploits of the last years: bpf, io_uring, userfaultfd, perf, keyrings and their like.

use super::Arena;

/// Each is refused before the kernel looks at its arguments.
pub async fn kernel_interfaces(arena: &Arena) {
    let script = r#"
room = ctypes.addressof(ctypes.create_string_buffer(4096))
for command in range(0, 6):
    refused(f"bpf {command}", lambda: call(NR["bpf"], command, bytes(128), 128))
refused("perf_event_open", lambda: call(NR["perf_event_open"], (1).to_bytes(4, sys.byteorder) + (112).to_bytes(4, sys.byteorder) + bytes(112), 0, -1, -1, 0))
for flags in (0, 1, os.O_CLOEXEC | 1):
    refused("userfaultfd", lambda: call(NR["userfaultfd"], flags))
absent("/dev/userfaultfd")
refused("io_uring_setup", lambda: call(NR["io_uring_setup"], 8, bytes(120)))
refused("io_uring_enter", lambda: call(NR["io_uring_enter"], 0, 1, 1, 0, None, 0))
refused("io_uring_register", lambda: call(NR["io_uring_register"], 0, 0, None, 0))
refused("add_key", lambda: call(NR["add_key"], b"user", b"name", b"payload", 7, -4))
refused("request_key", lambda: call(NR["request_key"], b"user", b"name", None, -4))
for operation in (0, 1, 6, 10, 11, 22):
    refused(f"keyctl {operation}", lambda: call(NR["keyctl"], operation, -3, 0, 0, 0))
handle = (8).to_bytes(4, sys.byteorder) + (1).to_bytes(4, sys.byteorder) + (2).to_bytes(8, sys.byteorder) + bytes(120)
refused("open_by_handle_at", lambda: call(NR["open_by_handle_at"], os.open("/", os.O_RDONLY), handle, os.O_RDONLY))
refused("fanotify_init", lambda: call(NR["fanotify_init"], 0, 0))
refused("quotactl", lambda: call(NR["quotactl"], 0x80000700, b"/dev/vda", 0, room))
refused("quotactl_fd", lambda: call(NR["quotactl_fd"], os.open("/", os.O_RDONLY), 0x80000700, 0, room))
refused("acct", lambda: call(NR["acct"], b"/tmp/acct"))
refused("swapon", lambda: call(NR["swapon"], b"/tmp/swap", 0))
refused("swapoff", lambda: call(NR["swapoff"], b"/tmp/swap"))
refused("settimeofday", lambda: call(NR["settimeofday"], bytes(16), None))
refused("clock_settime", lambda: call(NR["clock_settime"], 0, bytes(16)))
refused("sethostname", lambda: call(NR["sethostname"], b"evil", 4))
refused("setdomainname", lambda: call(NR["setdomainname"], b"evil", 4))
refused("vhangup", lambda: call(NR["vhangup"]))
refused("move_pages", lambda: call(NR["move_pages"], 1, 0, None, None, None, 0))
refused("migrate_pages", lambda: call(NR["migrate_pages"], 1, 1, bytes(8), bytes(8)))
refused("mbind", lambda: call(NR["mbind"], 0, 4096, 0, None, 0, 0))
refused("set_mempolicy", lambda: call(NR["set_mempolicy"], 0, None, 0))
if platform.machine() == "x86_64":
    for name, number in (("iopl", 172), ("ioperm", 173), ("_sysctl", 156), ("uselib", 134), ("nfsservctl", 180), ("lookup_dcookie", 212)):
        refused(name, lambda: call(number, 3, 1, 1))
# The filter cannot be replaced by a weaker one, nor no_new_privs taken back.
PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_SET_MM, PR_CAP_AMBIENT, PR_SET_SECUREBITS = 38, 39, 35, 47, 28
refused("taking no_new_privs back", lambda: prctl(PR_SET_NO_NEW_PRIVS, 0), REFUSED + (errno.EINVAL,))
refused("prctl of the memory map", lambda: prctl(PR_SET_MM, 13, 0), REFUSED + (errno.EINVAL,))
refused("changing securebits", lambda: prctl(PR_SET_SECUREBITS, 0), REFUSED + (errno.EINVAL,))
for capability in range(0, 41):
    refused(f"raising ambient capability {capability}", lambda: prctl(PR_CAP_AMBIENT, 2, capability), REFUSED + (errno.EINVAL,) * OWN_KERNEL)
held("no_new_privs holds", libc.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
"#;
    let script = format!("{PRCTL}{script}");
    arena.bottle().await.attack(&script, &[]).await;
}

const PRCTL: &str = r#"
def prctl(option, second, third=0):
    if libc.prctl(option, ctypes.c_ulong(second), ctypes.c_ulong(third), 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "prctl")
"#;
