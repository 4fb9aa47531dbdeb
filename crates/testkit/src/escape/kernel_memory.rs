//! Reads the kernel's memory, its log, its symbols and its keys.

use super::Arena;

/// What could tell of the host's kernel is absent or empty.
pub async fn kernel_memory(arena: &Arena) {
    let script = r#"
for path in ("kcore", "kallsyms", "kmsg", "keys", "timer_list", "sched_debug", "config.gz", "kpagecount", "kpageflags",
             "kpagecgroup", "vmallocinfo", "slabinfo", "pagetypeinfo", "iomem", "ioports", "vmcore"):
    try:
        tried += 1
        content = open(f"/proc/{path}", "rb").read(4096)
    except OSError as error:
        held(f"{path}: {error}", error.errno in GONE + (errno.EIO,))
        continue
    addresses = [word for word in content.replace(b"-", b" ").split() if len(word) >= 8 and word.strip(b"0123456789abcdef:") == b""]
    held(f"/proc/{path} tells {addresses[:3]}", all(word.strip(b"0:") == b"" for word in addresses))
for action in (2, 3, 4, 9, 10):
    refused(f"syslog {action}", lambda: call(NR["syslog"], action, ctypes.addressof(ctypes.create_string_buffer(4096)), 4096))
for path in ("/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg", "/sys/kernel/debug", "/sys/kernel/vmcoreinfo"):
    absent(path)
for folder in ("acpi", "scsi", "driver", "asound"):
    held(f"/proc/{folder} tells nothing", not os.path.exists(f"/proc/{folder}") or os.listdir(f"/proc/{folder}") == [])
"#;
    arena.bottle().await.attack(script, &[]).await;
}
