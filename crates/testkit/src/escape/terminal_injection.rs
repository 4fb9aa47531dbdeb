//! TIOCSTI and TIOCLINUX: types into a terminal, so that the person's shell runs it once the agent has gone.

use bottle::{Stdio, TerminalSize, User};

use super::Arena;

const SCRIPT: &str = r#"
import fcntl
TIOCSTI, TIOCLINUX, TIOCSCTTY, TIOCCONS, TIOCSETD = 0x5412, 0x541c, 0x540e, 0x541d, 0x5423
ioctl = {"x86_64": 16}.get(platform.machine(), 29)
terminals = [0, 1, 2] + ([os.open("/dev/tty", os.O_RDWR)] if os.isatty(0) and not OWN_KERNEL else [])
for terminal in terminals:
    for number in (TIOCSTI, TIOCLINUX, TIOCSETD):
        # The kernel looks at 32 bits of the number (CVE-2019-10063): so must the filter.
        for high in (0, 1 << 32, 0xffffffff << 32):
            refused(f"ioctl {number | high:#x} on {terminal}", lambda: call(ioctl, terminal, number | high, b"\x02"))
if not os.isatty(0):
    refused("the caller's terminal", lambda: os.open("/dev/tty", os.O_RDWR), (errno.ENXIO, errno.ENOENT, errno.EIO))
    refused("a controlling terminal", lambda: fcntl.ioctl(0, TIOCSCTTY, 1), REFUSED + (errno.ENOTTY,))
for path in ("/dev/console", "/dev/tty0", "/dev/tty1", "/dev/ttyS0", "/dev/vcs", "/dev/vcsa", "/dev/hvc0"):
    absent(path)
for name in os.listdir("/dev/pts"):
    held(f"/dev/pts/{name} is the bottle's own", name == "ptmx" or os.stat(f"/dev/pts/{name}").st_uid in (0, 1000))
print("refused on a terminal:", os.isatty(0))
"#;

/// Neither on streams nor on a terminal of its own does a program push input.
pub async fn terminal_injection(arena: &Arena) {
    let subject = arena.bottle().await;
    subject.attack(SCRIPT, &[]).await;
    for user in [User::Node, User::Root] {
        let process = subject
            .bottle
            .spawn(subject.program(user, SCRIPT, &[]), Stdio::Terminal(TerminalSize { rows: 24, columns: 80 }))
            .await;
        let process = process.expect("a program on a terminal");
        let terminal = process.terminal.expect("its terminal");
        let reader = tokio::task::spawn_blocking(move || {
            let (mut shown, mut buffer) = (Vec::new(), [0; 4096]);
            // EIO is how a terminal ends.
            while let Ok(count @ 1..) = rustix::io::read(&terminal, &mut buffer) {
                shown.extend_from_slice(&buffer[..count]);
            }
            String::from_utf8_lossy(&shown).into_owned()
        });
        let status = process.control.wait().await.expect("it ends");
        let shown = reader.await.expect("no panic");
        assert!(status.success() && shown.contains("refused on a terminal: True"), "as {user}: {status:?} {shown}");
    }
}
