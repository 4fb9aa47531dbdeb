//! Follows `/proc/PID/{root,cwd,exe,fd,map_files}` of the processes that hold the bottle together.

use super::Arena;

/// Links in /proc that jump to another process's files lead nowhere; one's own lead to the bottle's root.
pub async fn magic_links(arena: &Arena) {
    let script = r#"
held("PID 1 is seen", 1 in others())
enter = lambda path: os.listdir(os.path.join(path, ""))
def overwrite(path):
    link = os.readlink(path) if os.path.lexists(path) else ""
    # Nothing is lost by the one; of the other the threat model tells ("What remains").
    if link == "/dev/null" or link.startswith("host:") and os.getuid() == 0:
        raise PermissionError(errno.EPERM, "known")
    os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
for process in others():
    for name in ("exe", "cwd", "root"):
        refused(f"/proc/{process}/{name}", lambda: os.readlink(f"/proc/{process}/{name}"))
        refused(f"through /proc/{process}/{name}", lambda: os.listdir(f"/proc/{process}/{name}/"), REFUSED + (errno.ENOTDIR,))
    for name in ("map_files",) if OWN_KERNEL else ("map_files", "fdinfo"):
        refused(f"/proc/{process}/{name}", lambda: os.listdir(f"/proc/{process}/{name}"), REFUSED + (errno.ENOENT,) * OWN_KERNEL)
    # The numbers of another process's descriptors may be seen, where its owner is the same to the kernel; not what they are.
    for number in range(64):
        # gVisor tells what they are, and opens what the file's own mode lets one open: nothing of the helper's may be entered or written.
        for reach in (enter, overwrite) if OWN_KERNEL else (os.readlink, lambda path: os.open(path, os.O_PATH), lambda path: os.open(path, os.O_RDONLY)):
            refused(f"descriptor {number} of {process}", lambda: reach(f"/proc/{process}/fd/{number}"), REFUSED + (errno.ENOENT,) + (errno.ENOTDIR, errno.ENXIO, errno.ENODEV) * OWN_KERNEL)
    # Of PID 1 under gVisor: what the image and the engine say, which every program is told.
    for name in ("mem",) if OWN_KERNEL else ("environ", "mem", "maps", "auxv", "syscall", "stack", "pagemap", "io"):
        refused(f"/proc/{process}/{name}", lambda: open(f"/proc/{process}/{name}", "rb").read(64), REFUSED + (errno.ENOENT,))
    for name in ("ns/mnt", "ns/user", "ns/net", "ns/pid"):
        if not OWN_KERNEL:  # what can be opened there cannot be entered: `namespaces`
            refused(f"/proc/{process}/{name}", lambda: os.open(f"/proc/{process}/{name}", os.O_RDONLY))
for path in ("/proc/self/root", "/proc/self/root/../../..", "/proc/self/cwd/../../../../..", "/proc/thread-self/root/.."):
    held(f"{path} is the bottle's root", os.path.samestat(os.stat(path), os.stat("/")))
top = os.open("/", os.O_RDONLY)
held("above the root is the root", os.path.samestat(os.stat("..", dir_fd=top), os.stat("/")))
refused("chroot", lambda: os.chroot("/tmp"))
for path in sys.argv[1:]:
    refused("leaving by a folder's descriptor", lambda: open(f"/tmp/../../../..{path}"), GONE)
"#;
    arena.bottle().await.attack(script, &arena.of_the_host(&["/etc/shadow"])).await;
}
