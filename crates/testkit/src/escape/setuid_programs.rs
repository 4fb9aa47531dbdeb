//! Gains power by executing: setuid programs of the system, of one's own making, and file capabilities.

use bottle::{User, Users};

use super::Arena;

/// No program starts with more than its caller had, and nobody has a capability.
pub async fn setuid_programs(arena: &Arena) {
    let subject = arena.bottle().await;
    let powerless = r#"
status = dict(line.split(":\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
for name in ("CapInh", "CapPrm", "CapEff", "CapBnd") + ("CapAmb",) * (not OWN_KERNEL):
    held(f"{name} is empty: {status[name]}", int(status[name], 16) == 0)
held("no_new_privs", libc.prctl(39, 0, 0, 0, 0) == 1)
held("a filter", status["Seccomp"] == "2")
import shutil
shutil.copy(os.path.realpath(sys.executable), f"/tmp/python-{os.getuid()}")
value = bytes([1, 0, 0, 2]) + b"\xff" * 16
refused("file capabilities", lambda: os.setxattr(f"/tmp/python-{os.getuid()}", "security.capability", value), REFUSED + (errno.EOPNOTSUPP,))
os.chmod(f"/tmp/python-{os.getuid()}", 0o6755)
"#;
    subject.attack_as(User::Root, powerless, &[]).await;
    subject.attack_as(User::Node, powerless, &[]).await;
    let gain = r#"
import subprocess
def ids(program):
    show = "import os; print(os.getresuid(), os.getresgid(), open('/proc/self/status').read().split('CapEff:')[1].split()[0])"
    return subprocess.run([program, "-I", "-c", show], capture_output=True, text=True).stdout.strip()
own = f"{(os.getuid(),) * 3} {(os.getgid(),) * 3} {0:016x}"
held("own ids first", ids(sys.executable) == own)
for program in sys.argv[1:]:
    held(f"{program} gave {ids(program)}", ids(program) == own)
for program in ("su", "sudo", "mount", "umount", "passwd", "newuidmap", "pkexec", "fusermount3", "ping"):
    for folder in ("/usr/bin", "/usr/sbin"):
        if os.path.exists(f"{folder}/{program}"):
            ran = subprocess.Popen([f"{folder}/{program}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            ran.wait()
            held(f"{program} gained nothing", os.getresuid() == (os.getuid(),) * 3)
for identity in (0, 1, 999, 1001, 65534):
    if identity != os.getuid():
        refused(f"setuid {identity}", lambda: os.setresuid(identity, identity, identity), REFUSED + (errno.EINVAL,))
        refused(f"setgid {identity}", lambda: os.setresgid(identity, identity, identity), REFUSED + (errno.EINVAL,))
refused("setgroups", lambda: os.setgroups([0]))
"#;
    let planted: &[&str] = match arena.capabilities().users {
        Users::Separate => &["/tmp/python-0", "/tmp/python-1000"],
        Users::Shared => &["/tmp/python-1000"],
    };
    subject.attack_as(User::Node, gain, planted).await;
    subject.attack_as(User::Root, gain, planted).await;
}
