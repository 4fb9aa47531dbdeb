//! CVE-2024-21626: looks for descriptors of the host's that a fresh program has inherited, and works in a folder reached by one.

use bottle::{Exec, GuestPath, Stdio, TerminalSize, User};

use super::Arena;

/// Each descriptor must be one of the three streams, or the one with which they are being listed.
const LIST: &str = r#"
for name in os.listdir("/proc/self/fd"):
    try:
        target = os.readlink(f"/proc/self/fd/{name}")
    except FileNotFoundError:
        continue
    held(f"descriptor {name} -> {target} is a stream", int(name) <= 2)
    held(f"descriptor {name} -> {target} is no file of the host", target.startswith(("pipe:", "socket:", "/dev/pts/", "/dev/null")))
"#;

/// Folders that a planted link makes of whatever the helper has open just before the program starts.
const PLANT: &str = r#"
os.makedirs("/tmp/by-descriptor", mode=0o777, exist_ok=True)
for number in range(3, 24):
    path = f"/tmp/by-descriptor/{number}"
    os.path.lexists(path) or os.symlink(f"/proc/self/fd/{number}", path)
tried = 1
"#;

/// A fresh program has its three streams and nothing else, on pipes and on a terminal.
pub async fn leaked_descriptors(arena: &Arena) {
    let subject = arena.bottle().await;
    subject.attack(LIST, &[]).await;
    for user in [User::Node, User::Root] {
        let process =
            subject.bottle.spawn(subject.program(user, LIST, &[]), Stdio::Terminal(TerminalSize { rows: 24, columns: 80 })).await;
        let process = process.expect("a program on a terminal");
        let status = process.control.wait().await.expect("it ends");
        assert!(status.success(), "on a terminal as {user}: {status:?}");
    }
    subject.attack_as(User::Node, PLANT, &[]).await;
    for number in 3..24 {
        for folder in [format!("/tmp/by-descriptor/{number}"), format!("/proc/self/fd/{number}")] {
            let folder = GuestPath::parse(folder).expect("a legal path");
            let entered =
                subject.bottle.exec(Exec::new("ls").args(["-d", "../../../../../../etc/ssh"]).folder(folder.clone())).await;
            assert!(entered.is_err(), "worked in {folder}: {entered:?}");
        }
    }
}
