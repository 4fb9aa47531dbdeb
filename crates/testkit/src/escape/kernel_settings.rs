//! Writes to the kernel's settings: what runs on the host when a program crashes, a device appears or a cgroup empties.

use std::fs;

use super::Arena;

const SETTINGS: &[&str] = &[
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/modprobe",
    "/proc/sys/kernel/hotplug",
    "/proc/sys/kernel/poweroff_cmd",
    "/proc/sys/kernel/randomize_va_space",
    "/proc/sys/kernel/yama/ptrace_scope",
    "/proc/sys/kernel/kptr_restrict",
    "/proc/sys/kernel/dmesg_restrict",
    "/proc/sys/kernel/unprivileged_bpf_disabled",
    "/proc/sys/kernel/sysrq",
    "/proc/sys/kernel/panic",
    "/proc/sys/kernel/hostname",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/vm/panic_on_oom",
    "/proc/sys/fs/protected_symlinks",
    "/proc/sys/fs/suid_dumpable",
    "/proc/sys/user/max_user_namespaces",
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/net/ipv4/ip_unprivileged_port_start",
    "/proc/sys/net/ipv4/ping_group_range",
    "/proc/sys/fs/binfmt_misc/register",
    "/proc/sysrq-trigger",
    "/proc/irq/default_smp_affinity",
    "/proc/fs/nfsd/threads",
    "/sys/kernel/uevent_helper",
    "/sys/kernel/mm/transparent_hugepage/enabled",
    "/sys/power/state",
    "/sys/fs/cgroup/release_agent",
    "/sys/fs/cgroup/memory/release_agent",
    "/sys/fs/cgroup/cgroup.procs",
    "/sys/module/overlay/parameters/metacopy",
    "/sys/kernel/debug/tracing/tracing_on",
    "/sys/kernel/security/lockdown",
    "/sys/firmware/efi/efivars",
];

/// Nothing below /proc/sys and /sys can be written, and the host's values are what they were.
pub async fn kernel_settings(arena: &Arena) {
    let values = || SETTINGS.iter().map(|path| fs::read(path).ok()).collect::<Vec<_>>();
    let before = values();
    let script = r#"
closed = GONE + (errno.EROFS, errno.EISDIR)
for path in sys.argv[1:]:
    refused(f"writing {path}", lambda: os.close(os.open(path, os.O_WRONLY)), closed)
    refused(f"opening {path} to all", lambda: os.chmod(path, 0o666), closed)
for top in ("/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs", "/sys"):
    for path in walk(top):
        if os.path.isfile(path):
            refused(f"writing {path}", lambda: os.close(os.open(path, os.O_WRONLY)), closed)
for name in ("release_agent", "notify_on_release", "cgroup.procs", "devices.allow"):
    held(f"no {name} anywhere", not any(os.path.basename(path) == name for path in walk()))
"#;
    // What a kernel of the bottle's own lets its root set is its own affair.
    let own = "for path in sys.argv[1:]:\n    tried += 1\n    try: open(path, 'w').write('1')\n    except OSError: pass\n";
    arena.bottle().await.attack(if arena.has_own_kernel() { own } else { script }, SETTINGS).await;
    assert_eq!(values(), before);
}
