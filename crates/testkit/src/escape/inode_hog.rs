//! Makes empty files without end: they take no space, but the kernel's memory.

use bottle::{Limits, User};

use super::Arena;

/// A bottle with a disk limit runs out of files too.
pub async fn inode_hog(arena: &Arena) {
    let limits = Limits { disk: Some(16 << 20), ..Limits::default() };
    let Some(subject) = arena.limited(limits, |support| &support.disk).await else { return };
    let hog = r#"
def fill():
    for number in range(1_000_000):
        os.close(os.open(f"/tmp/{number}", os.O_CREAT | os.O_WRONLY))
refused("a million files in 16 MB", fill, (errno.ENOSPC, errno.EDQUOT))
"#;
    subject.attack_as(User::Node, hog, &[]).await;
    subject.assert_usable().await;
}
