//! Sees, signals and traces a process of the host's.

use bottle::{ExecError, User};

use super::{Arena, Victim};

/// A process of the host's is neither seen nor hit, not even by `kill(-1)`.
pub async fn host_processes(arena: &Arena) {
    let mut victim = Victim::start();
    let id = victim.id().to_string();
    let (subject, neighbour) = (arena.bottle().await, arena.bottle().await);
    let script = r#"
victim, mark = int(sys.argv[1]), sys.argv[2].encode()
held("few processes", len(others()) < 10)
for process in others():
    held(f"{process} is no process of the host's", mark not in open(f"/proc/{process}/cmdline", "rb").read())
if victim not in others():
    for number in (0, signal.SIGSTOP, signal.SIGKILL):
        refused(f"signal {number}", lambda: os.kill(victim, number), (errno.ESRCH,))
    refused("pidfd_open", lambda: os.pidfd_open(victim), (errno.ESRCH, errno.ENOSYS))
    refused("ptrace", lambda: call(NR["ptrace"], 16, victim, 0, 0), REFUSED + (errno.ESRCH,))
    refused("a process group", lambda: os.killpg(victim, signal.SIGKILL), (errno.ESRCH,))
"#;
    subject.attack(script, &[&id, victim.mark()]).await;
    for user in [User::Node, User::Root] {
        // Hits whatever it may, the process that watches over it included.
        match subject.run(user, "os.kill(-1, signal.SIGKILL)", &[]).await {
            Ok(_) | Err(ExecError::Gone { .. } | ExecError::Ended { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert!(victim.is_alive());
    neighbour.assert_usable().await;
}
