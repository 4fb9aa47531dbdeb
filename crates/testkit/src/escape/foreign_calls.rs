//! Enters the kernel through the doors of other architectures: `int 0x80` (i386) and the x32 numbers.

use bottle::{ExitStatus, User};

use super::Arena;

/// A filter for 64-bit numbers means something else to a 32-bit call: the whole process is killed, or the call refused.
pub async fn foreign_calls(arena: &Arena) {
    if !cfg!(target_arch = "x86_64") {
        return crate::require("x86_64", "only this architecture has other doors");
    }
    let subject = arena.bottle().await;
    // getpid by its i386 number: harmless if it worked. 20 -> eax, int 0x80, ret.
    let door = r#"
import mmap
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]))
enter = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
got = enter()
# Another kernel may take the number for one of its own 64-bit calls, which meets the filter as such.
if OWN_KERNEL and got != os.getpid():
    os.kill(os.getpid(), signal.SIGSYS)
hole(f"int 0x80 gave {got}, this process is {os.getpid()}")
"#;
    for user in [User::Node, User::Root] {
        let output = subject.run(user, door, &[]).await.expect("it runs");
        // SIGSYS by the filter; SIGSEGV from a kernel without 32-bit entry points.
        let killed = matches!(output.status, ExitStatus::Signal(31 | 11));
        assert!(killed, "{:?} {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    let numbers = r#"
X32 = 0x40000000
for number in (0, 1, 2, 39, 41, 56, 101, 165, 272, 308, 321, 512, 513, 515, 521, 539, 540, 545):
    refused(f"x32 call {number}", lambda: call(X32 | number, 0x10000000, 0, 0, 0, 0))
"#;
    subject.attack(numbers, &[]).await;
}
