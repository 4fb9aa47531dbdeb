//! A fork bomb.

use bottle::{ExecError, Limits, User};

use super::Arena;

/// `limits.pids` holds it; a bottle beside it works meanwhile, and it can be closed.
pub async fn fork_bomb(arena: &Arena) {
    let limits = Limits { pids: Some(64), ..Limits::default() };
    let Some(subject) = arena.limited(limits, |support| &support.pids).await else { return };
    let neighbour = arena.bottle().await;
    let bomb = r#"
children = 0
try:
    while True:
        if os.fork() == 0:
            signal.pause()
        children += 1
        held("the limit holds", children < 64)
except BlockingIOError:
    held("the bomb met the limit", children > 10)
print(children)
"#;
    subject.attack_as(User::Node, bomb, &[]).await;
    // What it left runs on, so the table is all but full: the next program is refused with a reason, or meets the limit at once.
    neighbour.assert_usable().await;
    let again = r#"
def fork():
    for _ in range(8):
        if os.fork() == 0:
            signal.pause()
refused("a few more", fork, (errno.EAGAIN,))
"#;
    match subject.run(User::Node, again, &[]).await {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        Err(ExecError::Failed { .. }) => {}
        Err(other) => panic!("{other}"),
    }
    subject.bottle.close().await.expect("it closes");
    neighbour.assert_usable().await;
}
