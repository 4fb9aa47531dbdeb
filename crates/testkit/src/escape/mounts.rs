//! Mounts, unmounts and changes the root, by the old system calls and by the new ones.

use super::Arena;

/// No way of mounting works, and what is mounted stays.
pub async fn mounts(arena: &Arena) {
    let script = r#"
AT_FDCWD = -100
os.makedirs("/tmp/place", exist_ok=True)
before = open("/proc/self/mountinfo").read()
for kind in (b"proc", b"sysfs", b"tmpfs", b"cgroup", b"cgroup2", b"devtmpfs", b"overlay", b"debugfs", b"bpf", b"mqueue", b"ext4"):
    refused(f"mount {kind}", lambda: call(NR["mount"], b"none", b"/tmp/place", kind, 0, None))
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_MOVE, MS_REC, MS_SHARED = 1, 32, 4096, 8192, 16384, 1 << 20
for what, flags in (("bind", MS_BIND), ("move", MS_MOVE), ("remount", MS_REMOUNT | MS_BIND), ("share", MS_SHARED | MS_REC)):
    for target in (b"/tmp/place", b"/proc/sys", b"/usr", b"/"):
        refused(f"{what} at {target}", lambda: call(NR["mount"], b"/usr", target, b"none", flags, None))
for target in (b"/proc/sys", b"/proc/kcore", b"/proc/keys", b"/proc", b"/dev", b"/usr", b"/"):
    for flags in (0, 2, 8):
        refused(f"umount {target}", lambda: call(NR["umount2"], target, flags))
refused("pivot_root", lambda: call(NR["pivot_root"], b"/tmp/place", b"/tmp/place"))
refused("chroot", lambda: call(NR["chroot"], b"/tmp"))
refused("open_tree", lambda: call(NR["open_tree"], AT_FDCWD, b"/", 1 | 0x8000))
refused("open_tree_attr", lambda: call(NR["open_tree_attr"], AT_FDCWD, b"/", 1, None, 0))
refused("move_mount", lambda: call(NR["move_mount"], AT_FDCWD, b"/usr", AT_FDCWD, b"/tmp/place", 0))
refused("fsopen", lambda: call(NR["fsopen"], b"tmpfs", 0))
refused("fspick", lambda: call(NR["fspick"], AT_FDCWD, b"/", 0))
refused("fsconfig", lambda: call(NR["fsconfig"], 0, 6, None, None, 0))
refused("fsmount", lambda: call(NR["fsmount"], 0, 0, 0))
refused("mount_setattr", lambda: call(NR["mount_setattr"], AT_FDCWD, b"/proc/sys", 0, bytes(32), 32))
for name in ("statmount", "listmount"):
    refused(name, lambda: call(NR[name], bytes(32), bytes(1024), 1024, 0))
held("the mounts are as before", open("/proc/self/mountinfo").read() == before)
"#;
    arena.bottle().await.attack(script, &[]).await;
}
