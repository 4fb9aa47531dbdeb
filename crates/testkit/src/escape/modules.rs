//! Loads code into the kernel: modules, another kernel, modules that the kernel loads itself for a socket or a terminal.

use std::fs;

use super::Arena;

/// No module is loaded, neither by asking nor by using what would need one.
pub async fn modules(arena: &Arena) {
    // Others on this machine may load modules meanwhile: only those that the attack asks for are looked at.
    let wanted = ["sctp", "dccp", "dccp_ipv4", "n_gsm", "n_hdlc", "slip", "af_key", "can", "tipc", "rds", "ax25", "netrom"];
    let loaded = || {
        let modules = fs::read_to_string("/proc/modules").unwrap_or_default();
        modules
            .lines()
            .filter_map(|line| line.split(' ').next())
            .filter(|name| wanted.contains(name))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let before = loaded();
    let script = r#"
module = b"\x7fELF" + bytes(1024)
refused("init_module", lambda: call(NR["init_module"], module, len(module), b""))
file = os.open(os.path.realpath(sys.executable), os.O_RDONLY)
refused("finit_module", lambda: call(NR["finit_module"], file, b"", 0))
refused("finit_module, forced", lambda: call(NR["finit_module"], file, b"", 3))
refused("delete_module", lambda: call(NR["delete_module"], b"overlay", os.O_NONBLOCK))
refused("kexec_load", lambda: call(NR["kexec_load"], 0, 0, 0, 0))
refused("kexec_file_load", lambda: call(NR["kexec_file_load"], file, file, 0, None, 0))
refused("reboot", lambda: call(NR["reboot"], 0xfee1dead, 672274793, 0x1234567, 0))
import fcntl
caller, terminal = os.openpty()
TIOCSETD = 0x5423
for discipline in (1, 2, 3, 5, 13, 15, 21, 22, 24, 28):
    refused(f"line discipline {discipline}", lambda: fcntl.ioctl(terminal, TIOCSETD, discipline.to_bytes(4, sys.byteorder)))
families = REFUSED + (errno.EAFNOSUPPORT, errno.ESOCKTNOSUPPORT, errno.EPROTONOSUPPORT)
for family in (3, 6, 9, 11, 15, 21, 29, 30, 31, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44):
    refused(f"socket family {family}", lambda: socket.socket(family, socket.SOCK_RAW), families)
"#;
    arena.bottle().await.attack(script, &[]).await;
    assert_eq!(loaded(), before);
}
