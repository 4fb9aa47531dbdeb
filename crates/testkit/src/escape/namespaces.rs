//! Makes new namespaces, which would give capabilities, and enters those of other processes.

use super::Arena;

/// `unshare`, `clone`, `clone3` and `setns` make and enter none.
pub async fn namespaces(arena: &Arena) {
    let script = r#"
KINDS = {"time": 0x80, "mnt": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000, "user": 0x10000000,
         "pid": 0x20000000, "net": 0x40000000}
for name, flag in KINDS.items():
    refused(f"unshare {name}", lambda: call(NR["unshare"], flag))
    refused(f"unshare user and {name}", lambda: call(NR["unshare"], flag | KINDS["user"]))
    if name != "time":
        refused(f"clone {name}", lambda: call(NR["clone"], flag | signal.SIGCHLD, 0, 0, 0, 0))
        refused(f"clone {name} behind high bits", lambda: call(NR["clone"], flag | signal.SIGCHLD | (1 << 40), 0, 0, 0, 0))
    # struct clone_args: flags first; what a filter cannot look at must look absent
    refused(f"clone3 {name}", lambda: call(NR["clone3"], flag.to_bytes(8, sys.byteorder) + bytes(80), 88))
    if not os.path.exists(f"/proc/self/ns/{name}"):
        held(f"no kind {name} in this kernel", OWN_KERNEL)
        continue
    own = os.open(f"/proc/self/ns/{name}", os.O_RDONLY)
    refused(f"setns own {name}", lambda: call(NR["setns"], own, 0))
    refused(f"setns own {name} by kind", lambda: call(NR["setns"], own, flag))
    if OWN_KERNEL:
        refused(f"entering {name} of PID 1", lambda: call(NR["setns"], os.open(f"/proc/1/ns/{name}", os.O_RDONLY), 0))
    else:
        refused(f"namespaces of PID 1: {name}", lambda: os.open(f"/proc/1/ns/{name}", os.O_RDONLY))
refused("setns by pidfd", lambda: call(NR["setns"], os.pidfd_open(1), 0x7e020000))
NS_GET_USERNS, NS_GET_PARENT = 0xb701, 0xb702
own = os.open("/proc/self/ns/user", os.O_RDONLY)
import fcntl
for request in (NS_GET_USERNS, NS_GET_PARENT):
    try:
        tried += 1
        above = fcntl.ioctl(own, request)
        refused("entering the namespace above", lambda: call(NR["setns"], above, 0))
    except OSError as error:
        held(f"{error}", error.errno in REFUSED + (errno.ENOTTY,) * OWN_KERNEL)
for line in ("uid_map", "gid_map", "setgroups"):
    refused(f"rewriting {line}", lambda: os.write(os.open(f"/proc/self/{line}", os.O_WRONLY), b"0 0 1"), REFUSED + (errno.EINVAL,) + (errno.ENOENT,) * OWN_KERNEL)
"#;
    arena.bottle().await.attack(script, &[]).await;
}
