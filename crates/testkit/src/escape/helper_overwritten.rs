//! CVE-2019-5736: has the host run `/proc/self/exe` in the bottle, which is then the helper's own file, and writes to that.

use std::os::fd::OwnedFd;

use bottle::{Exec, ExecError, Stdio, User};

use super::{Arena, Fingerprint, Subject};

const LOADER: &str = "-this-is-no-option-of-the-helper";

/// What stands in for a program of the bottle: a link, a script and an ELF file that name the process's own file.
const PLANT: &str = r##"
os.makedirs("/tmp/planted", exist_ok=True)
os.symlink("/proc/self/exe", "/tmp/planted/link")
with open("/tmp/planted/script", "w") as script:
    script.write("#!/proc/self/exe\n")
elf = open(os.path.realpath("/usr/bin/python3"), "rb").read(1 << 20)
start = elf.find(b"/lib64/ld-linux") if b"/lib64/ld-linux" in elf else elf.find(b"/lib/ld-")
end = elf.find(b"\0", start)
held("the program names its loader", 0 < start < end)
with open("/tmp/planted/elf", "wb") as program:
    program.write(elf[:start] + b"/proc/self/exe".ljust(end - start, b"\0") + elf[end:])
os.chmod("/tmp/planted/script", 0o755)
os.chmod("/tmp/planted/elf", 0o755)
"##;

/// Tries to catch a process that runs a file from outside the bottle, until its stdin ends.
const WATCH: &str = r#"
import select
print("watching", flush=True)
while True:
    for process in others():
        for how in (os.O_WRONLY, os.O_RDWR | os.O_APPEND):
            try:
                path = os.readlink(f"/proc/{process}/exe")
                if os.path.exists(path):
                    continue
                os.close(os.open(f"/proc/{process}/exe", how))
                hole(f"{path} of the host can be written")
            except OSError:
                pass
        try:
            if not os.path.exists(os.readlink(f"/proc/{process}/exe")):
                os.chmod(f"/proc/{process}/exe", 0o777)
                hole("a file of the host can be opened to all")
        except OSError:
            pass
    if select.select([0], [], [], 0)[0]:
        break
tried = 1
"#;

/// Neither the helper nor any other file of the host can be written by running it in the bottle.
pub async fn helper_overwritten(arena: &Arena) {
    let own = std::env::current_exe().expect("a test knows its own file");
    let programs: Vec<_> = arena.programs().iter().map(|path| path.as_path()).chain([own.as_path()]).collect();
    let before: Vec<_> = programs.iter().map(|path| Fingerprint::of(path)).collect();
    for user in [User::Node, User::Root] {
        let subject = arena.bottle().await;
        subject.attack_as(user, PLANT, &[]).await;
        attack(&subject, user).await;
        assert_eq!(programs.iter().map(|path| Fingerprint::of(path)).collect::<Vec<_>>(), before, "as {user}");
    }
}

async fn attack(subject: &Subject, user: User) {
    let (stdin, typed) = std::io::pipe().expect("a pipe");
    let (read, stdout) = std::io::pipe().expect("a pipe");
    let stderr = stdout.try_clone().expect("a second descriptor");
    let streams = Stdio::Streams { stdin: stdin.into(), stdout: stdout.into(), stderr: OwnedFd::from(stderr) };
    let watcher = subject.bottle.spawn(subject.program(user, WATCH, &[]), streams).await.expect("the watcher runs");
    for planted in ["/tmp/planted/link", "/tmp/planted/script", "/tmp/planted/elf", "/proc/self/exe", "/proc/thread-self/exe"] {
        for victim in [User::Node, User::Root] {
            match subject.bottle.exec(Exec::new(planted).arg(LOADER).user(victim)).await {
                Err(ExecError::NotRunnable { .. } | ExecError::NotFound { .. }) => {}
                Ok(output) => assert!(!output.status.success(), "{planted} ran as {victim}: {output:?}"),
                Err(other) => panic!("{planted}: {other}"),
            }
        }
    }
    drop(typed);
    let status = watcher.control.wait().await.expect("the watcher ends");
    let said = tokio::task::spawn_blocking(move || std::io::read_to_string(read)).await.expect("no panic").expect("its output");
    assert!(status.success(), "{said}");
}
