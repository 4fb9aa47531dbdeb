//! Floods the process table with zombies and orphans.

use bottle::{Limits, User};

use super::Arena;

/// Zombies count as processes and are held by the same limit; orphans are reaped, so that programs still start.
pub async fn zombie_flood(arena: &Arena) {
    let limits = Limits { pids: Some(64), ..Limits::default() };
    let Some(subject) = arena.limited(limits, |support| &support.pids).await else { return };
    let zombies = r#"
count = 0
try:
    while True:
        if os.fork() == 0:
            os._exit(0)
        count += 1
        held("the limit holds", count < 64)
except BlockingIOError:
    held("zombies met the limit", count > 10)
"#;
    subject.attack_as(User::Node, zombies, &[]).await;
    // Its zombies became orphans when it ended.
    let orphans = r#"
for _ in range(500):
    while True:
        try:
            child = os.fork()
            break
        except BlockingIOError:
            continue  # the orphans before it are being reaped
    if child == 0:
        try:
            os.fork() or os._exit(0)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
tried = 1
"#;
    subject.attack_as(User::Node, orphans, &[]).await;
    subject.assert_usable().await;
}
