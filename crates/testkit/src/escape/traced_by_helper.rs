//! Makes the helper's processes tracers (`PTRACE_TRACEME`), who are told of every stop, and stops for ever.

use std::time::Duration;

use bottle::{ExecError, ExitStatus, User};

use super::Arena;

const TRACEME: &str = "
def traceme():
    try:
        call(NR['ptrace'], 0, 0, 0, 0)
    except PermissionError:
        return False
    return True
";
/// A program whose parent is the helper's runs as one that nobody traces; one that has its own tracer is traced by that.
const PROGRAM: &str = r#"
came = []
signal.signal(signal.SIGUSR1, lambda *_: came.append(1))
# gVisor asks whether the parent may trace its child, and the helper may not.
held("the parent is not asked", traceme() or OWN_KERNEL)
os.kill(os.getpid(), signal.SIGUSR1)
held("a signal arrives", came == [1])

child = os.fork()
if child == 0:
    traceme()
    os.kill(os.getpid(), signal.SIGSTOP)
    os._exit(7)
stopped = os.waitpid(child, 0)[1]
held("a debugger's child stops", os.WIFSTOPPED(stopped) and os.WSTOPSIG(stopped) == signal.SIGSTOP)
PTRACE_CONT = 7
call(NR["ptrace"], PTRACE_CONT, child, 0, 0)
held("and goes on", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7)

traceme()
os.execvp("sh", ["sh", "-c", f"echo refused: {tried}"])
"#;
/// Orphans, whose parent is one of the helper's processes, that stop as fast as they can.
const FLOOD: &str = r#"
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
for _ in range(4):
    if os.fork() == 0:
        if os.fork() == 0:
            os.setsid()
            for stream in range(3):
                os.close(stream)
            while True:
                traceme()  # or traced still, by whoever was its parent
                # Whoever is traced stops for signals that it ignores, too.
                os.kill(os.getpid(), signal.SIGUSR1)
        os._exit(0)
for _ in range(4):
    os.wait()
tried = 1
"#;

/// Nobody is taken for ended who has stopped, nobody stays stopped, and a flood of stops keeps the helper from nothing.
pub async fn traced_by_helper(arena: &Arena) {
    let subject = arena.bottle().await;
    subject.attack(&format!("{TRACEME}{PROGRAM}"), &[]).await;
    let killed = format!("{TRACEME}traceme()\nos.kill(os.getpid(), signal.SIGTERM)");
    assert_eq!(subject.run(User::Node, &killed, &[]).await.expect("it runs").status, ExitStatus::Signal(15));

    let endless = format!("{TRACEME}{FLOOD}signal.pause()");
    let after = Duration::from_secs(2);
    let ended = subject.bottle.exec(subject.program(User::Node, &endless, &[]).deadline(after)).await;
    assert!(matches!(ended, Err(ExecError::Deadline { .. })), "{ended:?}");
    // They go on below PID 1.
    subject.attack_as(User::Node, &format!("{TRACEME}{FLOOD}"), &[]).await;
    subject.assert_usable().await;
    subject.bottle.close().await.expect("it closes");
}
