//! A fork bomb.

use bottle::{Limits, User};

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
    // What it left runs on: the table is full, and the next program is refused by name instead of hanging.
    neighbour.assert_usable().await;
    let refused = subject.run(User::Node, "", &[]).await;
    assert!(refused.is_err() || refused.is_ok_and(|output| !output.stdout.is_empty()));
    subject.bottle.close().await.expect("it closes");
    neighbour.assert_usable().await;
}
