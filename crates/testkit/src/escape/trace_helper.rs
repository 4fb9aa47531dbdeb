//! Traces the processes that hold the bottle together, and reads and writes their memory.

use super::Arena;

/// No process but one's own can be attached to, read or written.
pub async fn trace_helper(arena: &Arena) {
    let script = r#"
PTRACE_ATTACH, PTRACE_SEIZE = 16, 0x4206
held("PID 1 is seen", 1 in others())
room = ctypes.create_string_buffer(16)
part = (ctypes.c_ulong * 2)(ctypes.addressof(room), 16)
there = (ctypes.c_ulong * 2)(0x400000, 16)
for process in others():
    refused(f"attaching to {process}", lambda: call(NR["ptrace"], PTRACE_ATTACH, process, 0, 0))
    refused(f"seizing {process}", lambda: call(NR["ptrace"], PTRACE_SEIZE, process, 0, 0))
    for name in ("process_vm_readv", "process_vm_writev"):
        refused(f"{name} of {process}", lambda: call(NR[name], process, ctypes.addressof(part), 1, ctypes.addressof(there), 1, 0))
    for how in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
        refused(f"/proc/{process}/mem", lambda: os.open(f"/proc/{process}/mem", how))
    refused(f"a descriptor of {process}", lambda: call(NR["pidfd_getfd"], os.pidfd_open(process), 0, 0))
    refused(f"advising {process}", lambda: call(NR["process_madvise"], os.pidfd_open(process), ctypes.addressof(part), 1, 4, 0))
    refused(f"comparing with {process}", lambda: call(NR["kcmp"], os.getpid(), process, 0, 0, 0))
"#;
    arena.bottle().await.attack(script, &[]).await;
}
